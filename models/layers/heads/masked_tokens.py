"""What a masked language model says of hidden tokens and of two parts of a text (Devlin et al., 2019, section 3.1).

B: batch, T: positions, P: positions that are to be guessed, H: width of the hidden states, V: pieces.
"""

from typing import Any

import keras
from keras import ops

from models.layers.heads.token_embedding import TokenEmbedding


class MaskedTokens(keras.layers.Layer):
    """A dense layer, GELU, layer norm, and scores by the vectors of the pieces themselves, with a bias for each.

    Args:
        vocabulary_size: V; the embedding may know more tokens, which are no answers.
        embedding_dim: width of its vectors.
        tied_to: the embedding.
    """

    def __init__(self, vocabulary_size: int, embedding_dim: int, tied_to: TokenEmbedding, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.vocabulary_size = vocabulary_size
        self.tied_to = tied_to
        self.dense = keras.layers.Dense(embedding_dim, activation="gelu", name="dense")
        self.norm = keras.layers.LayerNormalization(epsilon=1e-5, name="norm")

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: its positions are others."""

    def build(self, hidden_states_shape: tuple[Any, ...], positions_shape: Any = None) -> None:
        """Makes the weights, for float (B, T, H)."""
        self.dense.build(hidden_states_shape)
        self.norm.build((None, None, self.dense.units))
        self.bias = self.add_weight((self.vocabulary_size,), "zeros", name="bias", dtype="float32")
        self.built = True

    def call(self, hidden_states: keras.KerasTensor, positions: keras.KerasTensor) -> keras.KerasTensor:
        """Float (B, T, H) and int (B, P) to logits, float32 (B, P, V)."""
        chosen = ops.take_along_axis(hidden_states, ops.expand_dims(positions, -1), axis=1)
        scores = self.tied_to.project(self.norm(self.dense(chosen)))
        # In float32, whatever the precision of the layers.
        return ops.cast(scores[..., : self.vocabulary_size], "float32") + ops.cast(self.bias, "float32")


class NextSentence(keras.layers.Layer):
    """Whether the second part follows the first: by the first position, a dense layer and tanh.

    Args:
        dropout: share of values dropped of what it says.
    """

    def __init__(self, dropout: float, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.dropout = keras.layers.Dropout(dropout, name="dropout")
        self.logits = keras.layers.Dense(2, name="logits")

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: no position is left that could be padding."""

    def build(self, hidden_states_shape: tuple[Any, ...]) -> None:
        """Makes the weights, for float (B, T, H)."""
        self.pooler = keras.layers.Dense(hidden_states_shape[-1], activation="tanh", name="pooler")
        for layer in (self.pooler, self.logits):
            layer.build((None, hidden_states_shape[-1]))
        self.built = True

    def call(self, hidden_states: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Float (B, T, H) to logits, float32 (B, 2): it does not, it does."""
        pooled = self.dropout(self.pooler(hidden_states[:, 0]), training=training)
        return ops.cast(self.logits(pooled), "float32")
