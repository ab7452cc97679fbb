"""Random numbers that depend on a row's own seed alone. B: batch."""

import tensorflow as tf

# Numbers that are drawn at once, elements of one compiled piece: long enough that what is around it does not count,
# short enough that a request for a few does not wait for many.
PIECE = 500


def uniform_noise(seeds: tf.Tensor, piece: tf.Tensor) -> tf.Tensor:
    """Random numbers of one piece in [0, 1): seeds int32 (B,) and piece int32 scalar to float32 (PIECE, B)."""
    rows = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([PIECE], tf.stack([seed, piece])),
        seeds,
        fn_output_signature=tf.TensorSpec([PIECE], tf.float32),
    )
    return tf.transpose(rows)
