"""Scaled dot-product attention by several heads, over a sequence at once or over a cache of keys and values.

N: rows, T: positions that ask, S: positions that are asked, H: width, A: heads, D: width of a head, H / A.
"""

from typing import Any

import keras
import keras_hub
from keras import ops

from models.layers.masks import MASKED_SCORE

# Of all positions, float (N, A, S, D) each.
KeysAndValues = tuple[keras.KerasTensor, keras.KerasTensor]


def scaled_dot_product(
    query: keras.KerasTensor, keys: keras.KerasTensor, visible: keras.KerasTensor
) -> keras.KerasTensor:
    """The weights softmax(Q K^T / sqrt(D)) (Vaswani et al., 2017, eq. 1).

    Args:
        query: float (N, A, T, D).
        keys: float (N, A, S, D).
        visible: bool, to be broadcast to (N, A, T, S); True = may be looked at.

    Returns:
        float32 (N, A, T, S); the same everywhere for a position that sees nothing.
    """
    scores = ops.matmul(query * query.shape[-1] ** -0.5, ops.swapaxes(keys, -1, -2))
    # In float32: bfloat16 loses the tail of the softmax.
    return ops.softmax(ops.where(visible, ops.cast(scores, "float32"), MASKED_SCORE), axis=-1)


class MultiHeadAttention(keras.layers.Layer):
    """Attention by heads, Concat(head_1, ..., head_A) W_O (Vaswani et al., 2017, section 3.2.2).

    We differ in biases of queries, values and what comes out, as most programs have them.

    Keras's and keras-hub's turn no queries and keys by their positions, and write into a cache with an operation of
    XLA, one index for all rows.

    Args:
        hidden_dim: H.
        num_heads: A, a divisor of it.
        rotary: turn queries and keys by their positions (Su et al., 2024, eq. 34), in the two halves of a head.
        dropout: share of the weights dropped.
    """

    def __init__(self, hidden_dim: int, num_heads: int, rotary: bool = False, dropout: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden_dim, self.num_heads = hidden_dim, num_heads
        # A bias of keys adds the same to all scores of a query, which a softmax does not see.
        self.query, self.key, self.value, self.output_projection = (
            keras.layers.Dense(hidden_dim, use_bias=name != "key", name=name)
            for name in ("query", "key", "value", "output")
        )
        self.rotation = keras_hub.layers.RotaryEmbedding(sequence_axis=2, name="rotation") if rotary else None
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, query_shape: tuple[Any, ...]) -> None:
        """Makes the four projections; what asks and what is asked are as wide as each other, float (N, T, H)."""
        for projection in (self.query, self.key, self.value, self.output_projection):
            projection.build((None, None, self.hidden_dim))
        self.built = True

    def keys_and_values(
        self, hidden_states: keras.KerasTensor, positions: keras.KerasTensor | None = None
    ) -> KeysAndValues:
        """What can be asked: float (N, S, H), and for a rotation positions int (S,) or (N, S)."""
        keys = self._turned(self._heads(self.key(hidden_states)), positions)
        return keys, self._heads(self.value(hidden_states))

    def call(
        self,
        hidden_states: keras.KerasTensor,
        keys: keras.KerasTensor,
        values: keras.KerasTensor,
        visible: keras.KerasTensor,
        positions: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Asks.

        Args:
            hidden_states: float (N, T, H).
            keys: of `keys_and_values`, float (N, A, S, D).
            values: the same.
            visible: bool, to be broadcast to (N, A, T, S); True = may be looked at.
            positions: of what asks, int (T,) or (N, T), for a rotation.
            training: whether dropout is active.

        Returns:
            float (N, T, H), and the weights of each head, float32 (N, A, T, S), nothing dropped.
        """
        query = self._turned(self._heads(self.query(hidden_states)), positions)
        weights = scaled_dot_product(query, keys, visible)
        heads = ops.matmul(ops.cast(self.dropout(weights, training=training), values.dtype), values)
        # --> (N, T, A, D) --> (N, T, H)
        joined = ops.reshape(ops.swapaxes(heads, 1, 2), (*ops.shape(hidden_states)[:2], self.hidden_dim))
        return self.output_projection(joined), weights

    def _heads(self, projected: keras.KerasTensor) -> keras.KerasTensor:
        rows, length = ops.shape(projected)[:2]
        return ops.swapaxes(
            ops.reshape(projected, (rows, length, self.num_heads, self.hidden_dim // self.num_heads)), 1, 2
        )

    def _turned(self, heads: keras.KerasTensor, positions: keras.KerasTensor | None) -> keras.KerasTensor:
        return heads if self.rotation is None else self.rotation(heads, positions=positions)


def written(cache: keras.KerasTensor, new: keras.KerasTensor, positions: keras.KerasTensor) -> keras.KerasTensor:
    """Puts one position of each row into a cache.

    Args:
        cache: float (N, A, K, D), of K positions.
        new: float (N, A, 1, D).
        positions: int32 (N,), less than K.

    Returns:
        the cache with it.
    """
    rows, heads, length, width = ops.shape(cache)
    flat = ops.reshape(cache, (rows * heads, length, width))
    places = ops.stack([ops.arange(rows * heads), ops.repeat(positions, heads)], axis=1)
    flat = ops.scatter_update(flat, places, ops.reshape(new, (rows * heads, width)))
    return ops.reshape(flat, (rows, heads, length, width))
