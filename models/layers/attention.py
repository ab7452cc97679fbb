"""Attention of a decoder state over encoder states.

B: batch, S: source length, Q: query width, K: key width, U: units. Padded source positions get weight 0.
"""

from typing import Any

import keras
from keras import ops

from models.layers.masks import MASKED_SCORE


def attend(
    scores: keras.KerasTensor, values: keras.KerasTensor, padding_mask: keras.KerasTensor
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Turns scores into a weighted mean (Bahdanau et al., 2015, eq. 5 and 6).

    Args:
        scores: float (B, S).
        values: float (B, S, K).
        padding_mask: bool (B, S), True = real token.

    Returns:
        context, float (B, K), and weights, float32 (B, S), which sum to 1.
    """
    # In float32: bfloat16 loses the tail of the softmax.
    scores = ops.where(padding_mask, ops.cast(scores, "float32"), MASKED_SCORE)
    weights = ops.softmax(scores, axis=-1)
    context = ops.squeeze(ops.matmul(ops.expand_dims(ops.cast(weights, values.dtype), 1), values), 1)
    return context, weights


class BahdanauAttention(keras.layers.Layer):
    """Additive scores, v . tanh(W s + U h) (Bahdanau et al., 2015, A.1.2).

    Args:
        units: width of the shared projection of query and key.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.query_projection = keras.layers.Dense(units, use_bias=False, name="query")
        self.key_projection = keras.layers.Dense(units, name="key")
        self.score_projection = keras.layers.Dense(1, use_bias=False, name="score")

    def build(self, query_shape: tuple[Any, int]) -> None:
        """Builds the projections for keys as wide as the query, float (B, Q)."""
        self.query_projection.build(query_shape)
        self.key_projection.build((None, *query_shape))
        self.score_projection.build((None, None, self.units))
        self.built = True

    def project_keys(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Computes the part of the score that is the same at every step, U h: float (B, S, K) to float (B, S, U)."""
        return self.key_projection(hidden_states)

    def call(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        """Scores: query float (B, Q), projected keys float (B, S, U); returns float (B, S)."""
        hidden = ops.tanh(ops.expand_dims(self.query_projection(query), 1) + keys)
        return ops.squeeze(self.score_projection(hidden), -1)


class LuongAttention(keras.layers.Layer):
    """Multiplicative scores, s . W h (Luong et al., 2015, eq. 8, "general").

    Args:
        units: width of the query, to which keys are projected.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key")

    def build(self, query_shape: tuple[Any, int]) -> None:
        """Builds the projection for keys as wide as the query, float (B, Q)."""
        self.key_projection.build((None, *query_shape))
        self.built = True

    def project_keys(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Computes W h once for all steps: float (B, S, K) to float (B, S, U)."""
        return self.key_projection(hidden_states)

    def call(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        """Scores: query float (B, U), projected keys float (B, S, U); returns float (B, S)."""
        return ops.squeeze(ops.matmul(keys, ops.expand_dims(query, -1)), -1)


ATTENTIONS = {"bahdanau": BahdanauAttention, "luong": LuongAttention}
