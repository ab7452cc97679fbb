"""Settings of the recurrent architecture."""

from typing import Literal

import pydantic

from models.architectures.settings.recurrent_layers import RecurrentLayersSettings
from models.settings import only_for


class RecurrentSettings(RecurrentLayersSettings):
    """A stack of recurrent layers."""

    architecture: Literal["recurrent"] = "recurrent"
    """Which architecture this section describes."""
    hidden_dim: int = pydantic.Field(128, ge=1)
    """Units of each direction of each layer."""
    num_layers: int = pydantic.Field(2, ge=1)
    """Recurrent layers, one over the other."""
    bidirectional: bool = pydantic.Field(True, json_schema_extra=only_for("encoder"))
    """Let an encoder read each sequence from both ends; its output is then 2 * hidden_dim wide."""
