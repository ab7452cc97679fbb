"""Attention of a decoder state over encoder states.

B: batch, S: source length, Q: query width, K: key width, U: units. Padded source positions get weight 0.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from models.layers.masks import MASKED_SCORE


def weigh(scores: keras.KerasTensor, padding_mask: keras.KerasTensor, squash: str = "softmax") -> keras.KerasTensor:
    """Turns scores into weights (Bahdanau et al., 2015, eq. 6).

    Args:
        scores: float (B, S).
        padding_mask: bool (B, S), True = real; of a row without any the softmax is the same everywhere.
        squash: "softmax": the weights sum to 1; "sigmoid": each is a gate by itself.

    Returns:
        float32 (B, S).
    """
    # In float32: bfloat16 loses the tail of the softmax.
    scores = ops.where(padding_mask, ops.cast(scores, "float32"), MASKED_SCORE)
    return ops.softmax(scores, axis=-1) if squash == "softmax" else ops.sigmoid(scores)


def attend(
    scores: keras.KerasTensor, values: keras.KerasTensor, padding_mask: keras.KerasTensor, squash: str = "softmax"
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Turns scores into a weighted sum (Bahdanau et al., 2015, eq. 5).

    Args:
        scores: float (B, S).
        values: float (B, S, K).
        padding_mask: bool (B, S), True = real token.
        squash: as `weigh` says.

    Returns:
        context, float (B, K), and weights, float32 (B, S).
    """
    weights = weigh(scores, padding_mask, squash)
    context = ops.squeeze(ops.matmul(ops.expand_dims(ops.cast(weights, values.dtype), 1), values), 1)
    return context, weights


class BahdanauAttention(keras.layers.Layer):
    """Additive scores, v . tanh(W s + U h + b) (Bahdanau et al., 2015, A.1.2, with a bias).

    Args:
        units: width of the shared projection of query and key.
        use_bias: whether there is a b.
        score_bias: what a bias of the scores begins at; None: no such bias, for a softmax does not see it.
    """

    def __init__(self, units: int, use_bias: bool = True, score_bias: float | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.query_projection = keras.layers.Dense(units, use_bias=False, name="query")
        self.key_projection = keras.layers.Dense(units, use_bias=use_bias, name="key")
        begins_at = keras.initializers.Constant(score_bias or 0.0)
        self.score_projection = keras.layers.Dense(
            1, use_bias=score_bias is not None, bias_initializer=begins_at, name="score"
        )

    def build(self, query_shape: tuple[Any, int]) -> None:
        """Builds the projections for keys as wide as the query, float (B, Q)."""
        self.query_projection.build(query_shape)
        self.key_projection.build((None, *query_shape))
        self.score_projection.build((None, None, self.units))
        self.built = True

    def project_keys(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Computes the part of the score that is the same at every step, U h + b: (B, S, K) to (B, S, U), float."""
        return self.key_projection(hidden_states)

    def call(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        """Scores: query float (B, Q), projected keys float (B, S, U); returns float (B, S)."""
        hidden = ops.tanh(ops.expand_dims(self.query_projection(query), 1) + keys)
        return ops.squeeze(self.score_projection(hidden), -1)


class ConcatAttention(BahdanauAttention):
    """Additive scores, v . tanh(W [s; h]) (Luong et al., 2015, eq. 8, "concat"): W by its two halves.

    Args:
        units: width of what W gives.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, use_bias=False, **kwargs)


class GatedAttention(BahdanauAttention):
    """Additive scores for a sigmoid, v . tanh(W s + U h + b) + d.

    A softmax shares out a whole; here each source position opens its own gate, so that a step may look at several, or
    at none. d says how far gates are open before anything else is known; it begins at -1.

    Args:
        units: width of the shared projection of query and key.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, score_bias=-1.0, **kwargs)


class DotAttention(keras.layers.Layer):
    """Multiplicative scores, s . h (Luong et al., 2015, eq. 8, "dot"), of keys as wide as the query.

    Args:
        units: width of both; there is nothing to learn.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units

    def build(self, query_shape: tuple[Any, int]) -> None:
        """Builds nothing."""
        self.built = True

    def project_keys(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """The keys as they are, float (B, S, K)."""
        return hidden_states

    def call(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        """Scores: query float (B, U), projected keys float (B, S, U); returns float (B, S)."""
        return ops.squeeze(ops.matmul(keys, ops.expand_dims(query, -1)), -1)


class GeneralAttention(DotAttention):
    """Multiplicative scores, s . W h (Luong et al., 2015, eq. 8, "general").

    Args:
        units: width of the query, to which keys are projected.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key")

    def build(self, query_shape: tuple[Any, int]) -> None:
        """Builds the projection for keys as wide as the query, float (B, Q)."""
        self.key_projection.build((None, *query_shape))
        self.built = True

    def project_keys(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Computes W h once for all steps: float (B, S, K) to float (B, S, U)."""
        return self.key_projection(hidden_states)


@dataclasses.dataclass(frozen=True)
class Attention:
    """How a decoder attends.

    Attributes:
        scorer: class of the layer that scores.
        asked: "before" the step, by the last state, or "after" it, by the new one.
        squash: as `attend` says.
    """

    scorer: type[keras.layers.Layer]
    asked: str
    squash: str = "softmax"


ATTENTIONS = {
    "bahdanau": Attention(BahdanauAttention, "before"),
    "luong_dot": Attention(DotAttention, "after"),
    "luong_general": Attention(GeneralAttention, "after"),
    "luong_concat": Attention(ConcatAttention, "after"),
    "gated": Attention(GatedAttention, "before", "sigmoid"),
}
