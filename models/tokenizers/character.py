"""Characters: one token for each Unicode code point."""

import tensorflow as tf

from models.tokenizers.tokenizer import LookupTokenizer


class CharacterTokenizer(LookupTokenizer):
    """One token a code point, spaces included. Text that the vocabulary covers survives a round trip unchanged."""

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Code points: string ragged (B, U)."""
        return tf.strings.unicode_split(texts, "UTF-8")
