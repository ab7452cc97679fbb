"""F1 of entities while a model trains: what says which epoch was the best.

Where held-out entities are other ones than those of training, the loss of tags rises from the first epoch on, while the
model goes on learning to find them.

B: batch, T: positions, K: tags.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.layers.scan import scan

_COUNTS = ("right", "answered", "labelled")


class EntityF1(keras.metrics.Metric):
    """F1 over the entities of all types together, for tags in BIO; a tag without a prefix is an entity of one token.

    An entity is right where its type and both of its ends are. For legal sequences that is what conlleval counts.

    Args:
        tags: names, by id.
    """

    def __init__(self, tags: Sequence[str], name: str = "entity_f1"):
        super().__init__(name=name, dtype="float32")
        self.inside = np.array([tag.startswith("I-") for tag in tags])
        self.begin = np.array([tag != "O" for tag in tags]) & ~self.inside
        self.counts = [self.add_variable((), "zeros", name=count) for count in _COUNTS]

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: keras.KerasTensor
    ) -> None:
        """Adds a batch.

        Args:
            y_true: tag ids int (B, T).
            y_pred: answered tag ids int (B, T).
            sample_weight: float (B, T), 0 where padded.
        """
        real = ops.cast(sample_weight, "bool")
        labelled, answered = (ops.take(self.begin, ids) & real for ids in (y_true, y_pred))
        goes_on = (ops.take(self.inside, y_true) | ops.take(self.inside, y_pred)) & real
        same = ops.equal(ops.cast(y_true, "int32"), ops.cast(y_pred, "int32"))
        right = labelled & same & self._same_behind(same, goes_on)
        for count, found in zip(self.counts, (right, answered, labelled), strict=True):
            count.assign(count + ops.sum(ops.cast(found, "float32")))

    def _same_behind(self, same: keras.KerasTensor, goes_on: keras.KerasTensor) -> keras.KerasTensor:
        """Whether label and answer agree until neither goes on behind a position: bool (B, T) each, to bool (B, T)."""

        def step(behind: keras.KerasTensor, now: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            return ops.where(now[:, 1], now[:, 0] & behind, True), behind

        backwards = ops.flip(ops.stack([same, goes_on], axis=-1), axis=1)
        return ops.flip(scan(step, ops.ones_like(same[:, 0]), backwards)[1], axis=1)

    def result(self) -> Any:
        """0 to 1; 0 where there is no entity."""
        right, answered, labelled = (ops.convert_to_tensor(count) for count in self.counts)
        return 2 * right / ops.maximum(answered + labelled, 1)
