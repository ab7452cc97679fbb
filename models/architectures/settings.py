"""Settings of the architectures, apart from their Keras code so that a configuration is checked without TensorFlow."""

from typing import Literal

import pydantic

from models.settings import Settings


class RecurrentSettings(Settings):
    """A stack of recurrent layers over token embeddings."""

    architecture: Literal["recurrent"] = "recurrent"
    """Which architecture this section describes."""
    cell: Literal["lstm", "gru", "simple"] = "lstm"
    """Recurrent cell of every layer."""
    embedding_dim: int = pydantic.Field(128, ge=1)
    """Width of a token's vector."""
    hidden_dim: int = pydantic.Field(128, ge=1)
    """Units of each direction of each layer."""
    num_layers: int = pydantic.Field(2, ge=1)
    """Recurrent layers, one over the other."""
    bidirectional: bool = True
    """Read each sequence from both ends; the layer's output is then 2 * hidden_dim wide."""
    residual: bool = False
    """Add each layer's input to its output, from the second layer on."""
    pooling: Literal["last", "mean", "max", "mean_max"] = "mean_max"
    """How the hidden states of a text become one vector: the final states, the mean, the maximum, or the last two."""
    dropout: float = pydantic.Field(0.3, ge=0, lt=1)
    """Share of values dropped after the embedding, between layers and before the output."""
    token_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of tokens dropped whole, so that no single word decides."""


class Seq2SeqSettings(Settings):
    """A recurrent encoder and a recurrent decoder, with attention between them or without."""

    architecture: Literal["seq2seq"] = "seq2seq"
    """Which architecture this section describes."""
    attention: Literal["bahdanau", "luong", "none"] = "bahdanau"
    """bahdanau: additive, asked before the decoder's step; luong: multiplicative ("general"), asked after it, with
    input feeding; none: the decoder sees the encoder's final states only."""
    embedding_dim: int = pydantic.Field(256, ge=1)
    """Width of a token's vector."""
    hidden_dim: int = pydantic.Field(256, ge=1)
    """Units of each decoder layer; an encoder layer has half of it in each direction."""
    num_layers: int = pydantic.Field(1, ge=1)
    """LSTM layers of the encoder and of the decoder."""
    dropout: float = pydantic.Field(0.2, ge=0, lt=1)
    """Share of values dropped after embeddings, between layers and before the output."""
    tie_embeddings: bool = False
    """Use the target embedding as the output projection; needs embedding_dim == hidden_dim."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> "Seq2SeqSettings":
        if self.hidden_dim % 2:
            raise ValueError(
                "hidden_dim must be even, since each direction of the encoder has half of it. "
                f"Received: hidden_dim={self.hidden_dim}."
            )
        if self.tie_embeddings and self.embedding_dim != self.hidden_dim:
            raise ValueError(
                "tie_embeddings needs embedding_dim equal to hidden_dim. "
                f"Received: embedding_dim={self.embedding_dim}, hidden_dim={self.hidden_dim}."
            )
        return self
