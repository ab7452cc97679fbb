"""What tasks put around an encoder or a decoder: the keys that the `model` sections of those architectures share."""

from typing import Literal

import pydantic

from models.architectures.settings.architecture import ArchitectureSettings
from models.settings import only_for


class SequenceSettings(ArchitectureSettings):
    """Embedding and pooling, which belong to the task, not to the architecture."""

    embedding_dim: int = pydantic.Field(128, ge=1, json_schema_extra=only_for("pieces"))
    """Width of a token's vector."""
    pooling: Literal["last", "mean", "max", "mean_max"] = pydantic.Field(
        "mean_max", json_schema_extra=only_for("pooling")
    )
    """How the hidden states of a sequence become one vector: the final states, the mean, the maximum, or the last
    two."""
    dropout: float = pydantic.Field(0.3, ge=0, lt=1)
    """Share of values dropped after the embedding, between layers and before the output."""
    token_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of positions (tokens, frames) dropped whole, so that no single one decides."""
    noise_snr_db: float | None = pydantic.Field(None, json_schema_extra=only_for("audio"))
    """In training, noise of random height and colour is added to sounds, which lies at least so many decibels below the
    recording. Empty: none."""
