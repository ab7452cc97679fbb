"""Which lists of names a word stands in, as numbers that a layer can read."""

from typing import Any

import keras
from keras import ops


class GazetteerFlags(keras.layers.Layer):
    """One column for each list.

    Args:
        num_gazetteers: lists, G.
    """

    def __init__(self, num_gazetteers: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_gazetteers = num_gazetteers

    def call(self, gazetteer_bits: keras.KerasTensor) -> keras.KerasTensor:
        """Int (B, T), bit g for list g, to 0 or 1 in the layer's precision, (B, T, G)."""
        worth = ops.convert_to_tensor([2**place for place in range(self.num_gazetteers)], "int32")
        bits = ops.floor_divide(ops.expand_dims(ops.cast(gazetteer_bits, "int32"), -1), worth)
        return ops.cast(ops.mod(bits, 2), self.compute_dtype)
