"""Token ids to vectors, and back to scores of tokens."""

from typing import Any

import keras
import keras_hub
from keras import ops


class TokenEmbedding(keras.layers.Layer):
    """Vectors of tokens, of which some are dropped in training.

    B: batch, T: tokens, E: `embedding_dim`, V: `vocabulary_size`.

    Args:
        vocabulary_size: token ids.
        embedding_dim: width of a vector.
        dropout: share of values dropped.
        token_dropout: share of tokens dropped whole, one draw for a token's vector (Iyyer et al., 2015, section 3.2).
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        dropout: float = 0.0,
        token_dropout: float = 0.0,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.embedding = keras_hub.layers.ReversibleEmbedding(vocabulary_size, embedding_dim, name="embedding")
        self.dropout = keras.layers.Dropout(dropout, name="dropout")
        self.token_dropout = keras.layers.Dropout(token_dropout, noise_shape=(None, None, 1), name="token_dropout")

    def build(self, token_ids_shape: tuple[int | None, ...]) -> None:
        """Makes the vectors."""
        self.embedding.build(token_ids_shape)
        self.built = True

    def call(self, token_ids: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Int (B, T) to float (B, T, E); the caller masks padding."""
        return self.token_dropout(self.dropout(self.embedding(token_ids), training=training), training=training)

    def one(self, token_ids: keras.KerasTensor) -> keras.KerasTensor:
        """One token of each row, without dropout: int (N,) to float (N, E)."""
        return self.embedding(token_ids)

    def project(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Scores every token by its own vector (Press and Wolf, 2017): float (..., E) to float (..., V)."""
        return self.embedding(hidden_states, reverse=True)


class VocabularyProjection(keras.layers.Layer):
    """Hidden states to logits of tokens, from weights of its own or tied to an embedding.

    Args:
        vocabulary_size: V.
        tied_to: the embedding whose vectors score the tokens; it must be as wide as the hidden states. None: weights of
            its own.
    """

    def __init__(self, vocabulary_size: int, tied_to: TokenEmbedding | None = None, name: str | None = None):
        super().__init__(name=name)
        self.tied_to = tied_to
        self.projection = None if tied_to else keras.layers.Dense(vocabulary_size, name="logits")

    def call(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Float (..., H) to float32 (..., V)."""
        score: Any = self.tied_to.project if self.tied_to else self.projection
        return ops.cast(score(hidden_states), "float32")
