"""Words that training reads as unknown."""

from typing import Any

import keras
from keras import ops

from models.layers.masks import padding_mask
from models.tokenizers.special import UNKNOWN_TOKEN_ID


class UnknownWords(keras.layers.Layer):
    """In training, puts the unknown word in the place of others.

    The vector of the unknown word is learned, and the model leans on what else it sees of a word. Lample et al. (2016,
    section 4.3) do so for half of the words that occur once; here all words have the same chance.

    Args:
        share: of the real words, 0 to 1.
    """

    def __init__(self, share: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.share = share
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, word_ids: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Int (B, T) to int (B, T), 0 = padding."""
        if not training or not self.share:
            return word_ids
        drawn = keras.random.uniform(ops.shape(word_ids), seed=self.seed_generator) < self.share
        return ops.where(drawn & padding_mask(word_ids), UNKNOWN_TOKEN_ID, word_ids)
