"""Cross-entropy with label smoothing, over real tokens only."""

from typing import Any

import keras
from keras import ops


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy against 1 - epsilon at the right class and epsilon spread over all (Szegedy et al., 2016, sec. 7).

    Padding is left out by a sample weight of 0; by default the mean is over the weights, so it is the loss of a token
    whatever the padding.

    Args:
        label_smoothing: epsilon.
        reduction: Keras's, of the losses of all positions to one.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        name: str = "cross_entropy",
        reduction: str = "mean_with_sample_weight",
    ):
        super().__init__(name=name, reduction=reduction)
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Loss of each position: classes int (...), logits float32 (..., V); returns float32 (...)."""
        if not self.label_smoothing:
            return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        # Dense targets, so that loss and gradient come from one fused kernel.
        num_classes = y_pred.shape[-1]
        target = ops.one_hot(ops.cast(y_true, "int32"), num_classes) * (1 - self.label_smoothing)
        return ops.categorical_crossentropy(target + self.label_smoothing / num_classes, y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal loss."""
        return {"label_smoothing": self.label_smoothing, "name": self.name, "reduction": self.reduction}
