"""Sampling of a sequence, one element after the other.

B: batch, N: elements, V: values of an element.
"""

from typing import Any

import tensorflow as tf

from models.decoding.next_token import NextToken

# Elements of one compiled piece: long enough that what is around it does not count, short enough that a request for a
# few does not wait for many.
PIECE = 500
_COLDEST = 1e-4


def uniform_noise(seeds: tf.Tensor, piece: tf.Tensor) -> tf.Tensor:
    """Random numbers of one piece that depend on each row's own seed alone: int (B,) to float32 (PIECE, B)."""
    rows = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([PIECE], tf.stack([seed, piece])),
        seeds,
        fn_output_signature=tf.TensorSpec([PIECE], tf.float32),
    )
    return tf.transpose(rows)


def choose(logits: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Draws from softmax(logits / temperature) by inverting its distribution.

    Args:
        logits: float (B, V).
        noise: uniform in [0, 1), float (B,).
        temperature: float (B,); 0 takes the most probable.

    Returns:
        int32 (B,).
    """
    scaled = logits / tf.maximum(temperature, _COLDEST)[:, tf.newaxis]
    reached = tf.cumsum(tf.nn.softmax(scaled), axis=-1)
    below = tf.reduce_sum(tf.cast(reached <= noise[:, tf.newaxis], tf.int32), axis=-1)
    # Rounding may leave the last sum a little below the noise.
    return tf.minimum(below, tf.shape(logits)[-1] - 1)


def sample_piece(
    next_token: NextToken, cache: Any, last: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor
) -> tuple[Any, tf.Tensor, tf.Tensor]:
    """Draws PIECE elements.

    Args:
        next_token: predicts the next element.
        cache: of `next_token`.
        last: the element before, int32 (N,).
        noise: of `uniform_noise`.
        temperature: float (N,).

    Returns:
        cache, last element, and the elements int32 (PIECE, N).
    """

    def body(
        index: tf.Tensor, cache: Any, last: tf.Tensor, drawn: tf.Tensor
    ) -> tuple[tf.Tensor, Any, tf.Tensor, tf.Tensor]:
        logits, cache = next_token(last, cache)
        last = choose(logits, noise[index], temperature)
        return index + 1, cache, last, tf.tensor_scatter_nd_update(drawn, [[index]], last[tf.newaxis])

    drawn = tf.zeros([PIECE, tf.shape(last)[0]], tf.int32)
    _, cache, last, drawn = tf.while_loop(
        lambda index, *_: index < PIECE, body, (0, cache, last, drawn), maximum_iterations=PIECE
    )
    return cache, last, drawn
