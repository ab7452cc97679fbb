"""The layer that a Transformer is a stack of (Vaswani et al., 2017, section 3.1).

N: rows, M: rows or windows of them, T: positions, S: positions of a source, H: width, A: heads, D: width of a head.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from models.layers.feed_forward import FeedForward
from models.layers.multi_head_attention import KeysAndValues, MultiHeadAttention, written


@dataclasses.dataclass(frozen=True)
class BlockSizes:
    """What all layers of a stack have in common.

    Attributes:
        hidden_dim: H.
        num_heads: A.
        feed_forward_dim: width inside the position-wise network.
        activation: key of `models.layers.feed_forward.ACTIVATIONS`.
        norm: "before" or "after", as `AddAndNorm` says.
        rotary: whether self-attention turns queries and keys by their positions.
        dropout: share dropped of what each part gives.
        attention_dropout: share of the attention weights dropped.
    """

    hidden_dim: int
    num_heads: int
    feed_forward_dim: int
    activation: str
    norm: str
    rotary: bool
    dropout: float
    attention_dropout: float

    def attention(self, rotary: bool, name: str) -> MultiHeadAttention:
        """An attention of these sizes."""
        return MultiHeadAttention(self.hidden_dim, self.num_heads, rotary, self.attention_dropout, name=name)


def layer_norm(name: str) -> keras.layers.Layer:
    """Ba et al. (2016), eq. 3 and 4."""
    return keras.layers.LayerNormalization(epsilon=1e-5, name=name)


class AddAndNorm(keras.layers.Layer):
    """Joins a part of a layer to what comes in.

    after: LayerNorm(x + part(x)) (Vaswani et al., 2017, section 3.1); before: x + part(LayerNorm(x)) (Radford et al.,
    2019; Xiong et al., 2020, table 1).

    Args:
        norm: "before" or "after".
        dropout: share dropped of what the part gives.
    """

    def __init__(self, norm: str, dropout: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.is_before = norm == "before"
        self.norm = layer_norm("norm")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, shape: tuple[Any, ...]) -> None:
        """Makes the norm for float (M, T, H)."""
        self.norm.build(shape)
        self.built = True

    def read(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """What the part reads: float (M, T, H), both."""
        return self.norm(hidden_states) if self.is_before else hidden_states

    def call(
        self, hidden_states: keras.KerasTensor, found: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """What came in and what the part gave, float (M, T, H) each, to float (M, T, H)."""
        both = hidden_states + self.dropout(found, training=training)
        return both if self.is_before else self.norm(both)


class TransformerBlock(keras.layers.Layer):
    """Self-attention, attention to a source where there is one, and a position-wise network.

    Ours and not keras-hub's TransformerEncoder and TransformerDecoder, which have neither rotary positions nor gates,
    and do not give the weights of their attention.

    Args:
        sizes: of it.
        has_source: whether it can look at a source.
    """

    def __init__(self, sizes: BlockSizes, has_source: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden_dim = sizes.hidden_dim
        self.self_attention = sizes.attention(sizes.rotary, "self_attention")
        self.source_attention: Any = sizes.attention(False, "source_attention") if has_source else None
        self.feed_forward = FeedForward(sizes.hidden_dim, sizes.feed_forward_dim, sizes.activation, name="feed_forward")
        self.around_self, self.around_feed_forward = (
            AddAndNorm(sizes.norm, sizes.dropout, name=name) for name in ("around_self", "around_feed_forward")
        )
        self.around_source: Any = AddAndNorm(sizes.norm, sizes.dropout, name="around_source") if has_source else None

    def build(self, shape: tuple[Any, ...]) -> None:
        """Builds all parts for float (M, T, H)."""
        shape = (None, None, self.hidden_dim)
        parts = self.self_attention, self.source_attention, self.feed_forward
        for part in (*parts, self.around_self, self.around_source, self.around_feed_forward):
            if part is not None:
                part.build(shape)
        self.built = True

    def call(
        self,
        hidden_states: keras.KerasTensor,
        visible: keras.KerasTensor,
        positions: keras.KerasTensor,
        past: KeysAndValues | None = None,
        source: KeysAndValues | None = None,
        source_visible: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[keras.KerasTensor, KeysAndValues, keras.KerasTensor | None]:
        """Reads positions, all at once, or one of each row behind a past.

        1. Attends to itself, or to the past and itself.
        2. Attends to the source.
        3. Goes through the position-wise network.

        Args:
            hidden_states: float (M, T, H); T is 1 behind a past.
            visible: bool, to be broadcast to (M, A, T, T), or behind a past to (M, A, 1, K); True = may be looked at.
            positions: int (T,), or behind a past (M, 1).
            past: keys and values, float (M, A, K, D) each, into which those of the position are written; None:
                attention is over the positions themselves.
            source: keys and values, float (N, A, S, D) each; M is a multiple of N, windows of a row beside each other.
            source_visible: bool, to be broadcast to (N, A, 1, S).
            training: whether dropout is active.

        Returns:
            float (M, T, H); the keys and values that were looked at; the mean over the heads of the weights of the
            source, float32 (M, T, S), None without a source.
        """
        read = self.around_self.read(hidden_states)
        seen = self.self_attention.keys_and_values(read, positions)
        if past is not None:
            keys, values = (written(old, new, positions[:, 0]) for old, new in zip(past, seen, strict=True))
            seen = keys, values
        found, _ = self.self_attention(read, *seen, visible, positions, training=training)
        hidden_states = self.around_self(hidden_states, found, training=training)
        weights = None
        if source is not None:
            hidden_states, weights = self._look(hidden_states, source, source_visible, training)
        found = self.feed_forward(self.around_feed_forward.read(hidden_states))
        return self.around_feed_forward(hidden_states, found, training=training), seen, weights

    def _look(
        self, hidden_states: keras.KerasTensor, source: KeysAndValues, visible: Any, training: bool
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        windows, length = ops.shape(hidden_states)[:2]
        # All windows of a row ask the same source: as one sequence, so that the source need not be repeated.
        read = ops.reshape(self.around_source.read(hidden_states), (ops.shape(source[0])[0], -1, self.hidden_dim))
        found, weights = self.source_attention(read, *source, visible, training=training)
        found = ops.reshape(found, (windows, length, self.hidden_dim))
        weights = ops.reshape(ops.mean(weights, axis=1), (windows, length, ops.shape(weights)[-1]))
        return self.around_source(hidden_states, found, training=training), weights
