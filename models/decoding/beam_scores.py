"""How beam search scores a finished target: Wu et al. (2016, eq. 14).

s(Y, X) = log P(Y|X) / lp(Y) + cp(X; Y), |Y| and the sums over it with the end token. B: batch, K: beams, S: source.
"""

import tensorflow as tf

# Instead of log(0), whose product with a beta of 0 is no number. Attention of float32 is hardly ever less.
_LEAST_COVERAGE = 1e-30


def length_penalty(length: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """lp(Y) = (5 + |Y|)^alpha / (5 + 1)^alpha: float32 scalar |Y| and alpha float32 (B,), to float32 (B, 1)."""
    return tf.pow((5.0 + length) / 6.0, alpha[:, tf.newaxis])


def coverage_penalty(attended: tf.Tensor, padding_mask: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """cp(X; Y) = beta * sum over i of log(min(sum over j of p_ij, 1)), i over the real source positions.

    We differ where a position got less than 1e-30 in all: that counts as 1e-30.

    Args:
        attended: the inner sums: what each source position got from all target tokens so far, float32 (B, K, S).
        padding_mask: bool (B, S), True = real position.
        beta: float32 (B,).

    Returns:
        float32 (B, K), 0 where everything is covered, less elsewhere.
    """
    covered = tf.math.log(tf.clip_by_value(attended, _LEAST_COVERAGE, 1.0))
    real = tf.where(padding_mask[:, tf.newaxis], covered, 0.0)
    return beta[:, tf.newaxis] * tf.reduce_sum(real, axis=-1)
