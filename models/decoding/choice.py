"""Choice of one token among all. B: batch, V: vocabulary."""

import tensorflow as tf

_COLDEST = 1e-4


def choose(
    logits: tf.Tensor,
    noise: tf.Tensor,
    temperature: tf.Tensor,
    top_k: tf.Tensor | None = None,
    top_p: tf.Tensor | None = None,
) -> tf.Tensor:
    """Draws from softmax(logits / temperature) by inverting its distribution.

    Args:
        logits: float32 (B, V).
        noise: uniform in [0, 1), float32 (B,).
        temperature: float32 (B,); 0 takes the most probable.
        top_k: int32 (B,); draws among the k most probable alone (Fan et al., 2018), 0 among all.
        top_p: float32 (B,); draws from the nucleus alone (Holtzman et al., 2020, eq. 2 and 3): the fewest tokens, the
            most probable ones, that have a probability of p or more together; 1 is all. Where both are given, the
            nucleus is that of the k.

    Returns:
        int32 (B,).
    """
    scaled = logits / tf.maximum(temperature, _COLDEST)[:, tf.newaxis]
    if top_k is not None or top_p is not None:
        rows = tf.shape(temperature)
        scaled = _most_probable(
            scaled, tf.zeros(rows, tf.int32) if top_k is None else top_k, tf.ones(rows) if top_p is None else top_p
        )
    reached = tf.cumsum(tf.nn.softmax(scaled), axis=-1)
    below = tf.reduce_sum(tf.cast(reached <= noise[:, tf.newaxis], tf.int32), axis=-1)
    # Rounding may leave the last sum a little below the noise: then it is the last token that adds to it.
    last = tf.reduce_sum(tf.cast(reached < reached[:, -1:], tf.int32), axis=-1)
    return tf.minimum(below, last)


def _most_probable(scores: tf.Tensor, top_k: tf.Tensor, top_p: tf.Tensor) -> tf.Tensor:
    """Puts all tokens out of reach but those that the filters keep: scores float32 (B, V) to the same."""

    def filtered() -> tf.Tensor:
        count, vocabulary_size = tf.shape(scores)[0], tf.shape(scores)[1]
        best_first, token_ids = tf.math.top_k(scores, vocabulary_size)
        ranks = tf.range(vocabulary_size)
        kept = (ranks < top_k[:, tf.newaxis]) | (top_k <= 0)[:, tf.newaxis]
        of_k = tf.where(kept, best_first, scores.dtype.min)
        reached_before = tf.cumsum(tf.nn.softmax(of_k), axis=-1, exclusive=True)
        # Rounded sums may reach 1 before the last token.
        in_nucleus = (reached_before < top_p[:, tf.newaxis]) | (top_p >= 1)[:, tf.newaxis] | (ranks == 0)
        of_p = tf.where(in_nucleus, of_k, scores.dtype.min)
        row_ids = tf.broadcast_to(tf.range(count)[:, tf.newaxis], tf.shape(scores))
        return tf.scatter_nd(tf.stack([row_ids, token_ids], axis=-1), of_p, tf.shape(scores))

    # Sorting a vocabulary takes longer than all else here.
    return tf.cond(tf.reduce_any((top_k > 0) | (top_p < 1)), filtered, lambda: scores)
