"""Characters that a model writes byte by byte, and has not finished."""

import tensorflow as tf

from models.tokenizers.special import SPECIAL_TOKENS


def drop_unfinished(token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """Drops the bytes at the end that begin a character and do not finish it.

    The last byte of the four that is not of the form 10xxxxxx says how long its character should be.

    Args:
        token_ids: ragged int32 (B, T), byte + 4 for each byte; what lies above, such as a part of a word, is whole.

    Returns:
        the same without those bytes.
    """
    tail = token_ids[:, -4:]
    values = (tail - len(SPECIAL_TOKENS)).to_tensor(0x80)  # (B, 4 at most); padding looks like a later byte
    values = tf.where(values < 0x100, values, 0)  # whole, as a byte of ASCII is
    lengths = tf.cast(tail.row_lengths(), tf.int32)
    to_end = lengths[:, tf.newaxis] - tf.range(tf.shape(values)[1])
    begins = tf.bitwise.bitwise_and(values, 0xC0) != 0x80
    wanted = 1 + sum(tf.cast(values >= lead, tf.int32) for lead in (0xC0, 0xE0, 0xF0))
    is_last = begins & (to_end == tf.reduce_min(tf.where(begins, to_end, 5), axis=1, keepdims=True))
    missing = tf.reduce_max(tf.where(is_last & (wanted > to_end), to_end, 0), axis=1)
    kept = tf.cast(token_ids.row_lengths(), tf.int32) - tf.maximum(missing, 0)
    places = tf.ragged.range(tf.cast(token_ids.row_lengths(), tf.int32))
    return tf.ragged.boolean_mask(token_ids, places < kept[:, tf.newaxis])
