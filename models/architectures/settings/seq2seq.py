"""Settings of the recurrent encoder with an attention decoder."""

from typing import Annotated, Any, Literal

import pydantic

from models.architectures.settings.recurrent_layers import RecurrentLayersSettings
from models.settings import only_for, only_with

_FED = ("luong_dot", "luong_general", "luong_concat")


def _spelled_out(value: Any) -> Any:
    # As it was called when it was the only one of the three.
    return "luong_general" if value == "luong" else value


class Seq2SeqSettings(RecurrentLayersSettings):
    """A recurrent encoder and a recurrent decoder, with attention between them or without."""

    architecture: Literal["seq2seq"] = "seq2seq"
    """Which architecture this section describes."""
    attention: Annotated[
        Literal["bahdanau", "luong_dot", "luong_general", "luong_concat", "gated", "none"],
        pydantic.BeforeValidator(_spelled_out),
    ] = pydantic.Field("bahdanau", json_schema_extra=only_for("source"))
    """bahdanau: additive scores, asked for before the decoder's step (Bahdanau et al., 2015); luong_dot, luong_general,
    luong_concat: the scores of Luong et al. (2015), asked for after it; gated: as bahdanau, with a sigmoid in place of
    the softmax, so that a step may look at several positions or at none; none: the decoder sees the encoder's final
    states only. luong is luong_general."""
    input_feeding: bool = pydantic.Field(True, json_schema_extra={**only_for("source"), **only_with(attention=_FED)})
    """Let the decoder's step read what the step before made of its attention (Luong et al., 2015, section 3.3)."""
    embedding_dim: int = pydantic.Field(256, ge=1, json_schema_extra=only_for("pieces"))
    """Width of a token's vector."""
    hidden_dim: int = pydantic.Field(256, ge=1)
    """Units of each decoder layer; an encoder layer has half of it in each direction."""
    num_layers: int = pydantic.Field(1, ge=1)
    """Recurrent layers of the encoder and of the decoder."""
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
