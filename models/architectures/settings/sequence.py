"""What tasks put around an encoder or a decoder: the keys that the `model` sections of those architectures share."""

from typing import Literal, Self

import pydantic

from models.architectures.settings.architecture import ArchitectureSettings
from models.architectures.settings.embeddings import EmbeddingsSettings
from models.settings import only_for


class SequenceSettings(ArchitectureSettings):
    """Embedding and pooling, which belong to the task, not to the architecture."""

    embedding_dim: int = pydantic.Field(128, ge=1, json_schema_extra=only_for("pieces"))
    """Width of a token's vector."""
    embeddings: EmbeddingsSettings = pydantic.Field(EmbeddingsSettings(), json_schema_extra=only_for("pieces"))
    """Vectors of words, learned before, to begin with."""
    pooling: Literal["last", "mean", "max", "mean_max", "attention"] = pydantic.Field(
        "mean_max", json_schema_extra=only_for("pooling")
    )
    """How the hidden states of a sequence become one vector: last takes the final states, mean_max both the mean and
    the maximum, attention a mean by weights that are learned (Yang et al., 2016)."""
    hidden_dim: int = pydantic.Field(128, ge=1)
    """Width of the hidden states."""
    tie_embeddings: bool = pydantic.Field(False, json_schema_extra=only_for("decoder"))
    """Use the target embedding as the output projection; needs embedding_dim == hidden_dim."""
    share_embeddings: bool = pydantic.Field(False, json_schema_extra=only_for("several_texts"))
    """Let source and target have one table of vectors (Press and Wolf, 2017); needs tokenizer.shared."""
    dropout: float = pydantic.Field(0.3, ge=0, lt=1)
    """Share of values dropped after the embedding, between layers and before the output."""
    token_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of positions (tokens, frames) dropped whole, so that no single one decides."""
    noise_snr_db: float | None = pydantic.Field(None, json_schema_extra=only_for("audio"))
    """In training, noise of random height and colour is added to sounds, which lies at least so many decibels below the
    recording. Empty: none."""

    @pydantic.model_validator(mode="after")
    def _ties_what_fits(self) -> Self:
        if self.tie_embeddings and self.embedding_dim != self.hidden_dim:
            raise ValueError(
                "tie_embeddings needs embedding_dim equal to hidden_dim. "
                f"Received: embedding_dim={self.embedding_dim}, hidden_dim={self.hidden_dim}."
            )
        return self
