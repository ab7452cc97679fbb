"""Settings of the recurrent encoder with an attention decoder."""

from typing import Literal

import pydantic

from models.architectures.settings.sequence import SequenceSettings
from models.settings import only_for


class Seq2SeqSettings(SequenceSettings):
    """A recurrent encoder and a recurrent decoder, with attention between them or without."""

    architecture: Literal["seq2seq"] = "seq2seq"
    """Which architecture this section describes."""
    attention: Literal["bahdanau", "luong", "none"] = pydantic.Field("bahdanau", json_schema_extra=only_for("source"))
    """bahdanau: additive, asked before the decoder's step; luong: multiplicative ("general"), asked after it, with
    input feeding; none: the decoder sees the encoder's final states only."""
    embedding_dim: int = pydantic.Field(256, ge=1, json_schema_extra=only_for("pieces"))
    """Width of a token's vector."""
    hidden_dim: int = pydantic.Field(256, ge=1)
    """Units of each decoder layer; an encoder layer has half of it in each direction."""
    num_layers: int = pydantic.Field(1, ge=1)
    """LSTM layers of the encoder and of the decoder."""
    dropout: float = pydantic.Field(0.2, ge=0, lt=1)
    """Share of values dropped after embeddings, between layers and before the output."""

    @property
    def uses(self) -> frozenset[str]:
        """Whether it attends, which coverage is measured by."""
        return frozenset() if self.attention == "none" else frozenset({"attention"})

    @pydantic.model_validator(mode="after")
    def _check(self) -> "Seq2SeqSettings":
        if self.hidden_dim % 2:
            raise ValueError(
                "hidden_dim must be even, since each direction of the encoder has half of it. "
                f"Received: hidden_dim={self.hidden_dim}."
            )
        return self
