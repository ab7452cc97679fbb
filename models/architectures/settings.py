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


class WaveNetSettings(Settings):
    """Dilated causal convolutions over quantized samples."""

    architecture: Literal["wavenet"] = "wavenet"
    """Which architecture this section describes."""
    hidden_dim: int = pydantic.Field(32, ge=1)
    """Channels of the residual connections and of each half of the gates."""
    skip_dim: int = pydantic.Field(128, ge=1)
    """Channels of the skip connections and of the hidden output layer."""
    kernel_size: int = pydantic.Field(2, ge=2, le=4)
    """Samples that each convolution sees."""
    dilation_depth: int = pydantic.Field(10, ge=1, le=14)
    """Layers of a stack; their dilations double: 1, 2, 4, ... A stack of 10 with kernel_size 2 sees 1,024 samples."""
    num_stacks: int = pydantic.Field(2, ge=1)
    """Stacks, one over the other."""
    condition_on: tuple[Literal["label", "speaker"], ...] = ()
    """Features that steer the whole clip (global conditioning). Empty: the model knows the sound alone."""
    condition_dim: int = pydantic.Field(16, ge=1)
    """Width of the vector of each feature in condition_on."""
    local_features: Literal["none", "log_mel"] = "none"
    """A sequence that steers the clip from frame to frame (local conditioning): none, or log_mel, the logarithm of
    a mel spectrogram, so that the model speaks what a spectrogram says."""
    num_mel_bins: int = pydantic.Field(40, ge=1)
    """Bands of a log_mel frame."""
    frame_step: int = pydantic.Field(80, ge=1)
    """Samples between two log_mel frames; each frame is brought to as many samples by a learned upsampling."""

    @property
    def dilations(self) -> tuple[int, ...]:
        """Distance between the samples that each layer sees, bottom first."""
        return tuple(2**depth for _ in range(self.num_stacks) for depth in range(self.dilation_depth))

    @property
    def receptive_field(self) -> int:
        """Past samples that a prediction depends on: of the first convolution and of every layer above it."""
        return (self.kernel_size - 1) * (1 + sum(self.dilations)) + 1

    @pydantic.model_validator(mode="after")
    def _check(self) -> "WaveNetSettings":
        if len(set(self.condition_on)) < len(self.condition_on):
            raise ValueError(f"condition_on must name each feature once. Received: {list(self.condition_on)}.")
        return self


class GatedConvSettings(Settings):
    """A stack of gated convolutions over token embeddings, or over the frames of a sound."""

    architecture: Literal["gated_conv"] = "gated_conv"
    """Which architecture this section describes."""
    embedding_dim: int = pydantic.Field(128, ge=1)
    """Width of a token's vector; sounds have frames in their place."""
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
    dropout: float = pydantic.Field(0.3, ge=0, lt=1)
    """Share of values dropped after the embedding, after each layer and before the output."""
    token_dropout: float = pydantic.Field(0.0, ge=0, lt=1)
    """Share of positions dropped whole."""
    noise_snr_db: float | None = None
    """Sounds only: in training, noise of random height and colour is added, which lies at least so many decibels below
    the recording. Empty: none."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> "GatedConvSettings":
        if self.squeeze_excitation > self.hidden_dim:
            raise ValueError(
                "squeeze_excitation is a ratio and must not exceed hidden_dim. "
                f"Received: squeeze_excitation={self.squeeze_excitation}, hidden_dim={self.hidden_dim}."
            )
        return self
