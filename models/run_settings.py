"""What the trainer must know of a configuration."""

from typing import Annotated, Any, Union

import pydantic

from models.audio_settings import AudioSettings
from models.decoding.settings import DecodingSettings
from models.registry import ARCHITECTURES
from models.settings import Settings
from models.tokenizers.settings import TokenizerSettings
from models.training_settings import TrainingSettings

# One of the settings classes of the registry, told apart by `architecture`.
ModelSettings: Any = Annotated[
    Union[tuple(entry.settings for entry in ARCHITECTURES.values())],  # noqa: UP007  # built from data
    pydantic.Field(discriminator="architecture"),
]


class RunSettings(Settings):
    """The sections that `models` owns."""

    name: str
    """Name of the served model."""
    task: str
    """Key of `models.registry.TASKS`."""
    seed: int = 1
    """Seed of weights, shuffling and dropout."""
    tokenizer: TokenizerSettings = TokenizerSettings()
    """How text is cut."""
    audio: AudioSettings = AudioSettings()
    """The form of the sound; tasks without sound ignore it."""
    model: ModelSettings
    """The architecture and its sizes."""
    training: TrainingSettings = TrainingSettings()
    """How the weights are found."""
    decoding: DecodingSettings = DecodingSettings()
    """How a target is searched for; tasks without a target ignore it."""
