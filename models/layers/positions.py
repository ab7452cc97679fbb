"""What tells a Transformer where a position stands.

N: rows, T: positions, E: width of what comes in, H: width of the hidden states.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import keras_hub
from keras import ops

from models.layers.transformer_block import layer_norm


def _sinusoidal(most: int) -> keras.layers.Layer:
    # In float32: bfloat16 has no odd numbers beyond 256.
    return keras_hub.layers.SinePositionEncoding(dtype="float32", name="positions")


def _learned(most: int) -> keras.layers.Layer:
    return keras_hub.layers.PositionEmbedding(
        most, initializer=keras.initializers.RandomNormal(stddev=0.02), name="positions"
    )


@dataclasses.dataclass(frozen=True)
class Positions:
    """How positions are told.

    Attributes:
        vectors: from the number of positions to a layer whose output is added to what comes in; None: nothing is.
        scaled: whether embeddings are first multiplied by sqrt(H).
        rotary: whether attention turns queries and keys.
        dtype: of the positions that the layer takes.
    """

    vectors: Callable[[int], keras.layers.Layer] | None = None
    scaled: bool = False
    rotary: bool = False
    dtype: str = "int32"


POSITIONS = {
    # Vaswani et al. (2017, sections 3.4 and 3.5).
    "sinusoidal": Positions(_sinusoidal, scaled=True, dtype="float32"),
    # Gehring et al. (2017, section 3.1); Devlin et al. (2019); Radford et al. (2018), whose deviation is 0.02.
    "learned": Positions(_learned),
    # Su et al. (2024); see `MultiHeadAttention`.
    "rotary": Positions(rotary=True),
}


class Entrance(keras.layers.Layer):
    """From what a task gives to the first layer: width and positions.

    Vectors as wide as the hidden states are taken for embeddings and stay as they are; others are projected. The
    factor sqrt(H) (Vaswani et al., 2017, section 3.4) is for embeddings alone, which begin small.

    Small embeddings that nothing scales are normalised with their positions (Devlin et al., 2019, in its program) where
    layers normalise behind their parts: else the scores of the first attention, products of two of them, are all near 0
    and it sees no difference between tokens.

    We differ in that the task drops parts of the embeddings, before positions are added and not after.

    Args:
        hidden_dim: H.
        kind: key of `POSITIONS`.
        most: positions of a window.
        norm: of the layers, "before" or "after" (`models.layers.transformer_block.AddAndNorm`).
    """

    def __init__(self, hidden_dim: int, kind: str, most: int, norm: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.kind = POSITIONS[kind]
        self.projection: Any = None
        self.positions = self.kind.vectors(most) if self.kind.vectors else None
        self.norm = layer_norm("norm") if norm == "after" and not self.kind.scaled else None

    def build(self, vectors_shape: tuple[Any, ...]) -> None:
        """Makes what there is to learn, for float (N, T, E)."""
        if vectors_shape[-1] != self.hidden_dim:
            self.projection = keras.layers.Dense(self.hidden_dim, name="projection")
            self.projection.build(vectors_shape)
        if self.positions is not None and not self.positions.built:
            self.positions.build((None, None, self.hidden_dim))
        if self.norm is not None:
            self.norm.build((None, None, self.hidden_dim))
        self.built = True

    def call(self, vectors: keras.KerasTensor, positions: keras.KerasTensor) -> keras.KerasTensor:
        """Float (N, T, E) and positions int (T,) or (N, T) to float (N, T, H)."""
        if self.projection is not None:
            hidden_states = self.projection(vectors)
        else:
            hidden_states = vectors * self.hidden_dim**0.5 if self.kind.scaled else vectors
        if self.positions is not None:
            added = self.positions(hidden_states, positions=ops.cast(positions, self.kind.dtype))
            hidden_states = hidden_states + ops.cast(added, hidden_states.dtype)
        return hidden_states if self.norm is None else self.norm(hidden_states)
