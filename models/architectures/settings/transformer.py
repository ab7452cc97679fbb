"""Settings of the Transformer."""

from typing import Literal

import pydantic

from models.architectures.settings.sequence import SequenceSettings


class TransformerSettings(SequenceSettings):
    """Layers of attention (Vaswani et al., 2017).

    With norm before, positions learned and activation gelu its decoder is that of GPT (Radford et al., 2019); with norm
    after, positions learned and activation gelu its encoder is that of BERT (Devlin et al., 2019).
    """

    architecture: Literal["transformer"] = "transformer"
    """Which architecture this section describes."""
    hidden_dim: int = pydantic.Field(128, ge=1)
    """Width of the hidden states; 512 in the paper. Vectors of another width are projected to it."""
    num_layers: int = pydantic.Field(4, ge=1)
    """Layers of the encoder and of the decoder; 6 in the paper."""
    num_heads: int = pydantic.Field(4, ge=1)
    """Heads of each attention, which share hidden_dim out among them; 8 in the paper."""
    feed_forward_dim: int = pydantic.Field(512, ge=1)
    """Width inside the network of each position; four times hidden_dim in the paper."""
    positions: Literal["sinusoidal", "learned", "rotary"] = "sinusoidal"
    """sinusoidal: sines and cosines are added to the vectors (Vaswani et al., 2017, section 3.5); learned: vectors of a
    table are (Gehring et al., 2017); rotary: attention turns what it compares by where it stands (Su et al., 2024)."""
    activation: Literal["relu", "gelu", "gated"] = "relu"
    """Of the network of each position: relu (Vaswani et al., 2017), gelu (Hendrycks and Gimpel, 2016), or gated, SwiGLU
    with a third matrix (Shazeer, 2020)."""
    norm: Literal["before", "after"] = "after"
    """Normalise what a part of a layer reads (Radford et al., 2019), which learns without a warm-up too, or the sum of
    what it reads and gives (Vaswani et al., 2017); then what the first layer reads too, unless positions are
    sinusoidal (Devlin et al., 2019)."""
    attention_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of the attention weights dropped."""
    context_length: int = pydantic.Field(1024, ge=2, multiple_of=2)
    """Positions that are seen at a time, and rows of the table of learned positions. Longer sequences are read in
    windows that overlap by half. Not more than training.sequence_length, where texts are one stream: of positions that
    training has not shown a model knows nothing."""
    dropout: float = pydantic.Field(0.1, ge=0, lt=1)
    """Share of values dropped after the embedding, of what each part of a layer gives, and before the output."""

    @property
    def uses(self) -> frozenset[str]:
        """It attends, which coverage is measured by."""
        return frozenset({"attention"})

    @property
    def receptive_field(self) -> int:
        """Positions of a window."""
        return self.context_length

    @property
    def carries_states(self) -> bool:
        """False: its keys and values grow with what was read, so a window of a stream begins with none."""
        return False

    @pydantic.model_validator(mode="after")
    def _check(self) -> "TransformerSettings":
        if self.hidden_dim % self.num_heads:
            raise ValueError(
                "hidden_dim must be divisible by num_heads. "
                f"Received: hidden_dim={self.hidden_dim}, num_heads={self.num_heads}."
            )
        if self.positions == "rotary" and self.hidden_dim // self.num_heads % 2:
            raise ValueError(
                "positions rotary turns pairs of values, so hidden_dim / num_heads must be even. "
                f"Received: hidden_dim={self.hidden_dim}, num_heads={self.num_heads}."
            )
        return self
