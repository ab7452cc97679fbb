"""Which words are like others: cosine similarity, and analogies by its sums and products.

B: batch, N: words, E: width of a vector, K: answers. "a is to b as c is to ?".
"""

import tensorflow as tf

# Keeps the quotient of 3CosMul finite (Levy and Goldberg, 2014, section 4).
_EPSILON = 1e-3


def unit_vectors(vectors: tf.Tensor) -> tf.Tensor:
    """Float (..., E) to the same of length 1; zeros stay zeros."""
    return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1)


def three_cos_add(units: tf.Tensor, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
    """cos(d, b - a + c) for each word d (Mikolov et al., 2013, "Linguistic regularities", section 4).

    By the sum of cosines (Levy and Goldberg, 2014, eq. 3) the order is the same; this has a cosine's range.

    Args:
        units: of all words, float32 (N, E), each of length 1.
        a: of length 1, float32 (B, E).
        b: as a.
        c: as a.

    Returns:
        float32 (B, N).
    """
    return tf.matmul(unit_vectors(b - a + c), units, transpose_b=True)


def three_cos_mul(units: tf.Tensor, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
    """cos(d, b) cos(d, c) / (cos(d, a) + 0.001), cosines moved to 0..1 (Levy and Goldberg, 2014, eq. 4).

    Arguments and result as of `three_cos_add`.
    """
    to_a, to_b, to_c = ((tf.matmul(each, units, transpose_b=True) + 1) / 2 for each in (a, b, c))
    return to_b * to_c / (to_a + _EPSILON)


def best(scores: tf.Tensor, without: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The best words of each row.

    Args:
        scores: float32 (B, N).
        without: ids int32 (B, any) of words that are no answer; 0 for none.
        k: int32 (B,), how many each row wants.

    Returns:
        ids int32 (B, K) and scores float32 (B, K), best first, K the most that a row wants, or all there are; 0 and 0.0
        where a row has no such answer.
    """
    rows = tf.repeat(tf.range(tf.shape(without)[0]), tf.shape(without)[1])
    # Column 0, for no word, is not kept either.
    padded = tf.pad(scores, [[0, 0], [1, 0]])
    places = tf.concat([tf.stack([rows, tf.reshape(without, [-1])], 1), _first_column(scores)], 0)
    lowest = tf.fill([tf.shape(places)[0]], scores.dtype.min)
    padded = tf.tensor_scatter_nd_update(padded, places, lowest)
    number = tf.minimum(tf.reduce_max(tf.concat([k, [0]], 0)), tf.shape(scores)[1])
    values, ids = tf.math.top_k(padded, number)
    wanted = tf.logical_and(tf.range(number)[tf.newaxis] < k[:, tf.newaxis], values > scores.dtype.min)
    return tf.where(wanted, ids, 0), tf.where(wanted, values, 0.0)


def _first_column(scores: tf.Tensor) -> tf.Tensor:
    rows = tf.range(tf.shape(scores)[0])
    return tf.stack([rows, tf.zeros_like(rows)], 1)
