"""The two axes: task name to task, architecture name to architecture. Importing this does not import TensorFlow."""

import dataclasses
import importlib
from typing import Any

from models.architectures.settings import (
    GatedConvSettings,
    RecurrentSettings,
    Seq2SeqSettings,
    WaveNetSettings,
)
from models.settings import Settings
from models.tasks.task import Feature, Task


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What computes a task.

    Attributes:
        settings: class of the `model` section.
        tasks: names of the tasks it serves.
        module: dotted name of the module whose `build(settings, vocabularies)` returns the Keras model.
    """

    settings: type[Settings]
    tasks: frozenset[str]
    module: str

    def load(self) -> Any:
        """Imports the implementing module (and with it Keras)."""
        return importlib.import_module(self.module)


TASKS: dict[str, Task] = {
    "text_classification": Task(
        "text_classification", (Feature("text", "text"), Feature("label", "label")), "models.tasks.text_classification"
    ),
    "text_to_text": Task(
        "text_to_text", (Feature("source", "text"), Feature("target", "text")), "models.tasks.text_to_text"
    ),
    "audio_generation": Task(
        "audio_generation",
        (
            Feature("audio", "audio"),
            Feature("label", "label", optional=True),
            Feature("speaker", "label", optional=True),
        ),
        "models.tasks.audio_generation",
    ),
    "audio_classification": Task(
        "audio_classification",
        (Feature("audio", "audio"), Feature("label", "label"), Feature("speaker", "label", optional=True)),
        "models.tasks.audio_classification",
    ),
}

ARCHITECTURES: dict[str, Architecture] = {
    "recurrent": Architecture(RecurrentSettings, frozenset({"text_classification"}), "models.architectures.recurrent"),
    "gated_conv": Architecture(
        GatedConvSettings, frozenset({"text_classification", "audio_classification"}), "models.architectures.gated_conv"
    ),
    "wavenet": Architecture(WaveNetSettings, frozenset({"audio_generation"}), "models.architectures.wavenet"),
    "seq2seq": Architecture(Seq2SeqSettings, frozenset({"text_to_text"}), "models.architectures.seq2seq"),
}
