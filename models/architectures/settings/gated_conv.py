"""Settings of the gated convolutions."""

from typing import Literal

import pydantic

from models.architectures.settings.sequence import SequenceSettings


class GatedConvSettings(SequenceSettings):
    """A stack of gated convolutions over token embeddings, or over the frames of a sound."""

    architecture: Literal["gated_conv"] = "gated_conv"
    """Which architecture this section describes."""
    hidden_dim: int = pydantic.Field(128, ge=1)
    """Channels of every layer."""
    kernel_size: int = pydantic.Field(3, ge=1)
    """Positions that each convolution sees."""
    num_layers: int = pydantic.Field(4, ge=1)
    """Convolutions, one over the other, each with a residual connection."""
    dilation: bool = False
    """Double the distance between the positions seen from layer to layer, for long sequences."""
    squeeze_excitation: int = pydantic.Field(0, ge=0)
    """Weigh the channels by what the whole sequence holds (Hu et al., 2018): the ratio by which the hidden layer is
    narrower than hidden_dim, 16 in the paper. 0: do not."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> "GatedConvSettings":
        if self.squeeze_excitation > self.hidden_dim:
            raise ValueError(
                "squeeze_excitation is a ratio and must not exceed hidden_dim. "
                f"Received: squeeze_excitation={self.squeeze_excitation}, hidden_dim={self.hidden_dim}."
            )
        return self
