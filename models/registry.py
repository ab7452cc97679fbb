"""The two axes: task name to task, architecture name to architecture. Importing this does not import TensorFlow."""

import dataclasses
import importlib
from typing import Any

from models.architectures.settings.gated_conv import GatedConvSettings
from models.architectures.settings.gnmt import GnmtSettings
from models.architectures.settings.recurrent import RecurrentSettings
from models.architectures.settings.seq2seq import Seq2SeqSettings
from models.architectures.settings.wavenet import WaveNetSettings
from models.decoding.request_settings import BEAM_SEARCH, SOUND
from models.features import Feature
from models.settings import Settings
from models.tasks.task import Judging, Task


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What computes a task.

    Attributes:
        settings: class of the `model` section.
        roles: what it can play; for each its module has a function of that name, which takes the settings and returns
            what `models.architectures.roles` describes.
        module: dotted name.
    """

    settings: type[Settings]
    roles: frozenset[str]
    module: str

    def play(self, role: str, settings: Any, **facts: Any) -> Any:
        """Makes the Keras layer that plays a role; `facts` is what a role needs to know besides the settings."""
        return getattr(importlib.import_module(self.module), role)(settings, **facts)

    def solves(self, task: Task) -> bool:
        """Whether it plays every role that the task needs."""
        return self.roles >= set(task.roles)


_CLASSIFICATION = ("example_count", "accuracy", "auc", "macro_f1")
_CLASS_SCORES = ("precision", "recall", "f1")

TASKS: dict[str, Task] = {
    "text_classification": Task(
        "text_classification",
        "models.tasks.text_classification",
        features=(Feature("text", "text"), Feature("label", "label")),
        roles=("encoder",),
        judging=Judging("label", "label", _CLASSIFICATION, _CLASS_SCORES, length_of="text"),
        uses=frozenset({"pooling"}),
    ),
    "text_to_text": Task(
        "text_to_text",
        "models.tasks.text_to_text",
        features=(Feature("source", "text"), Feature("target", "text")),
        roles=("encoder", "decoder"),
        judging=Judging("target", "target", ("example_count", "bleu", "chrf", "exact_match"), length_of="source"),
        uses=frozenset({"decoding"}),
        request_settings=BEAM_SEARCH,
    ),
    "audio_generation": Task(
        "audio_generation",
        "models.tasks.audio_generation",
        features=(
            Feature("audio", "audio"),
            Feature("label", "label", optional=True),
            Feature("speaker", "label", optional=True),
        ),
        roles=("sound_decoder",),
        judging=Judging("label", "log_prob", ("example_count", "bits_per_sample")),
        uses=frozenset({"chunks"}),
        request_settings=SOUND,
        review="clips",
    ),
    "audio_classification": Task(
        "audio_classification",
        "models.tasks.audio_classification",
        features=(Feature("audio", "audio"), Feature("label", "label"), Feature("speaker", "label", optional=True)),
        roles=("encoder",),
        judging=Judging("label", "label", _CLASSIFICATION, _CLASS_SCORES),
        uses=frozenset({"pooling"}),
    ),
}

ARCHITECTURES: dict[str, Architecture] = {
    "recurrent": Architecture(RecurrentSettings, frozenset({"encoder", "decoder"}), "models.architectures.recurrent"),
    "gated_conv": Architecture(GatedConvSettings, frozenset({"encoder"}), "models.architectures.gated_conv"),
    "wavenet": Architecture(WaveNetSettings, frozenset({"sound_decoder"}), "models.architectures.wavenet"),
    "seq2seq": Architecture(Seq2SeqSettings, frozenset({"encoder", "decoder"}), "models.architectures.seq2seq"),
    "gnmt": Architecture(GnmtSettings, frozenset({"encoder", "decoder"}), "models.architectures.gnmt"),
}
