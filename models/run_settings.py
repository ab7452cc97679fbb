"""What the trainer must know of a configuration."""

from typing import Annotated, Any, Union

import pydantic

from models.audio_settings import AudioSettings
from models.decoding.settings import DecodingSettings
from models.labeling_settings import LabelingSettings
from models.masking_settings import MaskingSettings
from models.registry import ARCHITECTURES
from models.settings import Settings, only_for
from models.tokenizers.settings import TokenizerSettings
from models.training_settings import TrainingSettings

# One of the settings classes of the registry, told apart by `architecture`.
ModelSettings: Any = Annotated[
    Union[tuple(entry.settings for entry in ARCHITECTURES.values())],  # noqa: UP007  # built from data
    pydantic.Field(discriminator="architecture"),
]


class RunSettings(Settings):
    """The sections that `models` owns."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=63)
    """Name of the model: clients ask for it, and pushed versions stand under it. Lower-case letters, digits, _, -."""
    task: str
    """Key of `models.registry.TASKS`."""
    seed: int = pydantic.Field(1, ge=0, lt=2**31)
    """Seed of all that is random in training: weights, shuffling, dropout."""
    audio: AudioSettings = pydantic.Field(AudioSettings(), json_schema_extra=only_for("audio"))
    """The form that recordings are brought to."""
    tokenizer: TokenizerSettings = pydantic.Field(TokenizerSettings(), json_schema_extra=only_for("pieces"))
    """How text is cut into units."""
    labeling: LabelingSettings = pydantic.Field(LabelingSettings(), json_schema_extra=only_for("tags"))
    """How words are read and how their tags are chosen."""
    masking: MaskingSettings = pydantic.Field(MaskingSettings(), json_schema_extra=only_for("masking"))
    """What is hidden of texts, to be guessed."""
    model: ModelSettings
    """What computes the answer; `architecture` decides which other keys there are."""
    training: TrainingSettings = TrainingSettings()
    """How the model is trained."""
    decoding: DecodingSettings = pydantic.Field(DecodingSettings(), json_schema_extra=only_for("decoding"))
    """How text is generated."""
