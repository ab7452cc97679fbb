"""Cross-entropy with label smoothing, and the accuracy that goes with it, both over real tokens only."""

from typing import Any

import keras
from keras import ops


class SmoothedCrossEntropy(keras.losses.Loss):
    """Cross-entropy against 1 - epsilon at the right class and epsilon spread over all (Szegedy et al., 2016, sec. 7).

    Padding is left out by a sample weight of 0; the mean is over the weights, so it is the loss of a token whatever the
    padding.

    Args:
        label_smoothing: epsilon.
    """

    def __init__(self, label_smoothing: float = 0.0, name: str = "cross_entropy"):
        super().__init__(name=name, reduction="mean_with_sample_weight")
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Loss of each position: classes int (...), logits float32 (..., V); returns float32 (...)."""
        loss = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        if not self.label_smoothing:
            return loss
        # The uniform part is logsumexp(logits) - mean(logits), and logsumexp is the loss plus the right logit: so no
        # second softmax over the vocabulary is needed, which costs much on a processor.
        right = ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(ops.cast(y_true, "int32"), -1), axis=-1), -1)
        return loss + self.label_smoothing * (right - ops.mean(y_pred, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal loss."""
        return {"label_smoothing": self.label_smoothing, "name": self.name}
