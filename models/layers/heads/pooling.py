"""The hidden states of a sequence as one vector."""

from typing import Any, Literal

import keras
from keras import ops

from models.layers.attention import weigh
from models.layers.masks import masked_max, masked_mean


class Pooling(keras.layers.Layer):
    """One vector of a whole sequence.

    B: batch, T: positions, H: width.

    Args:
        method: "mean" or "max" over real positions, "mean_max" both side by side, "last": where the encoder ended, or
            the last real position where it has no such states, "attention": a mean by learned weights.
    """

    def __init__(self, method: Literal["last", "mean", "max", "mean_max", "attention"], name: str | None = None):
        super().__init__(name=name)
        self.method = method
        self.supports_masking = True
        self.attention: Any = AttentionWeights(name="attention") if method == "attention" else None

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: no position is left that could be padding."""

    def build(self, hidden_states_shape: tuple[Any, ...]) -> None:
        """Makes the weights of attention, if there are any, for float (B, T, H)."""
        if self.attention:
            self.attention.build(hidden_states_shape)
        self.built = True

    def call(
        self,
        hidden_states: keras.KerasTensor,
        padding_mask: keras.KerasTensor,
        final_states: list[list[keras.KerasTensor]],
    ) -> keras.KerasTensor:
        """Pools.

        Args:
            hidden_states: float (B, T, H).
            padding_mask: bool (B, T), True = real; a row without any gives zeros.
            final_states: of the encoder, as `models.architectures.roles` says.

        Returns:
            float (B, H), for "mean_max" (B, 2H).
        """
        match self.method:
            case "last":
                return final_states[-1][0] if final_states else last_real(hidden_states, padding_mask)
            case "mean":
                return masked_mean(hidden_states, padding_mask)
            case "max":
                return masked_max(hidden_states, padding_mask)
            case "attention":
                weights = self.attention(hidden_states, padding_mask)
                return ops.sum(hidden_states * ops.expand_dims(weights, -1), axis=1)
        both = masked_mean(hidden_states, padding_mask), masked_max(hidden_states, padding_mask)
        return ops.concatenate(both, -1)


class AttentionWeights(keras.layers.Layer):
    """How much each position says: u_t = tanh(W h_t + b), weights softmax(u_t . v) (Yang et al., 2016, eq. 5 and 6)."""

    def build(self, hidden_states_shape: tuple[Any, ...]) -> None:
        """Makes W, as wide as the states, and v, for float (B, T, H)."""
        self.projection = keras.layers.Dense(hidden_states_shape[-1], activation="tanh", name="projection")
        self.score = keras.layers.Dense(1, use_bias=False, name="score")
        self.projection.build(hidden_states_shape)
        self.score.build(hidden_states_shape)
        self.built = True

    def call(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Float (B, T, H) and bool (B, T) to float (B, T), which sum to 1, or are 0 in a row without real positions."""
        scores = ops.squeeze(self.score(self.projection(hidden_states)), -1)
        weights = ops.where(padding_mask, weigh(scores, padding_mask), 0.0)
        return ops.cast(weights, hidden_states.dtype)


def last_real(hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
    """The last real position: float (B, T, H), bool (B, T) to float (B, H); zeros for a row without any."""
    positions = ops.arange(ops.shape(padding_mask)[1])
    last = ops.max(ops.where(padding_mask, positions, -1), axis=1)  # (B,)
    here = ops.cast(ops.equal(positions, ops.expand_dims(last, 1)), hidden_states.dtype)
    return ops.sum(hidden_states * ops.expand_dims(here, -1), axis=1)
