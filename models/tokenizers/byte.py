"""Bytes of the UTF-8 form: 256 tokens and no unknown one."""

import tensorflow as tf

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.unfinished import drop_unfinished


class ByteTokenizer(Tokenizer):
    """One token a byte, id = byte + 4. Nothing is learned and nothing is unknown."""

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """No unit is counted: an empty row for each text, string ragged (B, 0)."""
        return tf.RaggedTensor.from_row_lengths(tf.constant([], tf.string), tf.zeros_like(tf.strings.length(texts)))

    @classmethod
    def learn(cls, counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
        """All bytes, written as <0xNN>, whatever the counts are."""
        return [*SPECIAL_TOKENS, *(f"<0x{byte:02X}>" for byte in range(256))]

    def whole_characters(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Drops the bytes at the end that begin a character and do not finish it: ragged int32 (B, T) to the same."""
        return drop_unfinished(token_ids)

    @staticmethod
    def word_of(piece: str) -> str:
        """A byte is no word."""
        return ""

    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        single_bytes = tf.strings.bytes_split(texts)
        values = tf.io.decode_raw(single_bytes.flat_values, tf.uint8, fixed_length=1)[:, 0]
        return single_bytes.with_flat_values(tf.cast(values, tf.int32) + len(SPECIAL_TOKENS))

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        single_bytes = tf.constant([bytes([byte]) for byte in range(256)])
        joined = tf.strings.reduce_join(tf.gather(single_bytes, token_ids - len(SPECIAL_TOKENS)), axis=-1)
        # A model can stop in the middle of a character: the broken rest becomes U+FFFD, never invalid UTF-8.
        return tf.strings.unicode_transcode(joined, "UTF-8", "UTF-8", errors="replace")
