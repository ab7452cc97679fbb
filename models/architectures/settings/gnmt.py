"""Settings of Google's translation system."""

from typing import Literal

import pydantic

from models.architectures.settings.sequence import SequenceSettings
from models.settings import only_for


class GnmtSettings(SequenceSettings):
    """The layers of Wu et al. (2016): LSTMs, one bidirectional, residual connections, one attention for all layers."""

    architecture: Literal["gnmt"] = "gnmt"
    """Which architecture this section describes."""
    embedding_dim: int = pydantic.Field(256, ge=1, json_schema_extra=only_for("pieces"))
    """Width of a token's vector; 1024 in the paper."""
    hidden_dim: int = pydantic.Field(256, ge=1)
    """Units of each layer, of the bottom one of the encoder in each direction; 1024 in the paper."""
    num_layers: int = pydantic.Field(4, ge=2)
    """LSTM layers of the encoder and of the decoder; 8 in the paper. Residual connections begin with the third."""
    dropout: float = pydantic.Field(0.2, ge=0, lt=1)
    """Share of values dropped after embeddings, between layers and before the output."""

    @property
    def uses(self) -> frozenset[str]:
        """It attends, which coverage is measured by."""
        return frozenset({"attention"})
