"""Characters: one token for each Unicode code point."""

import tensorflow as tf

from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.tokenizer import LookupTokenizer


class CharacterTokenizer(LookupTokenizer):
    """One token a code point, spaces included. Text that the vocabulary covers survives a round trip unchanged."""

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Code points: string ragged (B, U)."""
        return tf.strings.unicode_split(texts, "UTF-8")

    @classmethod
    def least_size(cls, counts: dict[str, int]) -> int:
        """The special tokens, and each character."""
        return len(SPECIAL_TOKENS) + len(counts)
