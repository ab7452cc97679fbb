"""Settings of WaveNet."""

from typing import Literal

import pydantic

from models.architectures.settings.architecture import ArchitectureSettings
from models.audio_settings import AudioSettings
from models.settings import names_features, only_with


class WaveNetSettings(ArchitectureSettings):
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
    condition_on: tuple[str, ...] = pydantic.Field((), json_schema_extra=names_features("label"))
    """Label features of the task, such as label and speaker, that steer the whole clip (global conditioning). Empty:
    the model knows the sound alone."""
    condition_dim: int = pydantic.Field(16, ge=1, json_schema_extra=only_with(condition_on=True))
    """Width of the vector of each feature in condition_on."""
    local_features: Literal["none", "log_mel"] = "none"
    """A sequence that steers the clip from frame to frame (local conditioning): none, or log_mel, the logarithm of
    a mel spectrogram, so that the model speaks what a spectrogram says."""
    num_mel_bins: int = pydantic.Field(40, ge=1, json_schema_extra=only_with(local_features="log_mel"))
    """Bands of a log_mel frame."""
    frame_step: int = pydantic.Field(80, ge=1, json_schema_extra=only_with(local_features="log_mel"))
    """Samples between two log_mel frames; each frame is brought to as many samples by a learned upsampling."""

    @property
    def dilations(self) -> tuple[int, ...]:
        """Distance between the samples that each layer sees, bottom first."""
        return tuple(2**depth for _ in range(self.num_stacks) for depth in range(self.dilation_depth))

    @property
    def receptive_field(self) -> int:
        """Past samples that a prediction depends on: of the first convolution and of every layer above it."""
        return (self.kernel_size - 1) * (1 + sum(self.dilations)) + 1

    @property
    def uses(self) -> frozenset[str]:
        """Whether a request can say what is to be heard: by its label, or by a recording's spectrogram."""
        asked = "label" in self.condition_on or self.local_features != "none"
        return frozenset({"asked_label"}) if asked else frozenset()

    def figures(self, audio: AudioSettings) -> dict[str, str]:
        """The receptive field, in samples and as time."""
        seen, rate = self.receptive_field, audio.sample_rate
        return {"receptive field": f"{seen:,} samples, {1000 * seen / rate:.0f} ms at {rate:,} Hz"}

    @pydantic.model_validator(mode="after")
    def _check(self) -> "WaveNetSettings":
        if len(set(self.condition_on)) < len(self.condition_on):
            raise ValueError(f"condition_on must name each feature once. Received: {list(self.condition_on)}.")
        return self
