"""The two axes: task name to task, architecture name to architecture. Importing this does not import TensorFlow."""

import dataclasses
import importlib
from typing import Any

from models.architectures.settings.gated_conv import GatedConvSettings
from models.architectures.settings.gnmt import GnmtSettings
from models.architectures.settings.recurrent import RecurrentSettings
from models.architectures.settings.seq2seq import Seq2SeqSettings
from models.architectures.settings.transformer import TransformerSettings
from models.architectures.settings.wavenet import WaveNetSettings
from models.architectures.settings.word_vectors import CbowSettings, SkipGramSettings
from models.decoding.request_settings import BEAM_SEARCH, SOUND, TEXT_SAMPLING
from models.features import Feature
from models.settings import Settings
from models.tasks.task import Judging, Task, WordInput
from models.words.request_settings import WORDS


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
_ENTITIES = (
    "example_count",
    "entity_precision",
    "entity_recall",
    "entity_f1",
    "macro_entity_f1",
    "token_accuracy",
    "same_cut",
)

TASKS: dict[str, Task] = {
    "text_classification": Task(
        "text_classification",
        "models.tasks.text_classification",
        features=(Feature("text", "text"), Feature("label", "label")),
        roles=("encoder",),
        judging=Judging("label", "label", _CLASSIFICATION, _CLASS_SCORES, length_of="text"),
        uses=frozenset({"pooling", "pretrained"}),
    ),
    "text_to_text": Task(
        "text_to_text",
        "models.tasks.text_to_text",
        features=(Feature("source", "text"), Feature("target", "text")),
        roles=("encoder", "decoder"),
        judging=Judging("target", "target", ("example_count", "bleu", "chrf", "exact_match"), length_of="source"),
        uses=frozenset({"decoding", "beam_search", "source"}),
        request_settings=BEAM_SEARCH,
    ),
    "language_modeling": Task(
        "language_modeling",
        "models.tasks.language_modeling",
        features=(
            Feature("text", "text", prompt="prompt"),
            Feature("context", "note", optional=True),
            Feature("continues", "note", optional=True),
        ),
        roles=("decoder",),
        judging=Judging(
            "text", "log_prob", ("example_count", "perplexity", "cross_entropy", "bits_per_character", "bits_per_byte")
        ),
        uses=frozenset({"decoding", "sampling", "stream"}),
        request_settings=TEXT_SAMPLING,
        review="texts",
    ),
    "masked_language_modeling": Task(
        "masked_language_modeling",
        "models.tasks.masked_language_modeling",
        features=(Feature("text", "text", hole="[MASK]"), Feature("elsewhere", "note", borrowed_from="text")),
        roles=("encoder",),
        judging=Judging(
            "text",
            "log_prob",
            ("example_count", "masked_accuracy", "perplexity", "cross_entropy", "next_sentence_accuracy"),
        ),
        uses=frozenset({"masking"}),
        review="masked_texts",
    ),
    "sequence_labeling": Task(
        "sequence_labeling",
        "models.tasks.sequence_labeling",
        features=(Feature("tokens", "tokens"), Feature("tags", "tags", aligned_with="tokens")),
        roles=("encoder",),
        judging=Judging("tags", "tags", _ENTITIES, ("entity_f1",), length_of="tokens"),
        uses=frozenset({"pretrained"}),
        review="tagged_texts",
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
    "word_embedding": Task(
        "word_embedding",
        "models.tasks.word_embedding",
        features=(Feature("text", "text"),),
        roles=("word_vectors",),
        judging=Judging("text", "loss", ("example_count", "loss_per_prediction", "known_words")),
        request_settings=WORDS,
        review="vectors",
        word_inputs=tuple(WordInput(name, "text", place) for place, name in enumerate("abc")),
        units=("word",),
    ),
}

ARCHITECTURES: dict[str, Architecture] = {
    "recurrent": Architecture(RecurrentSettings, frozenset({"encoder", "decoder"}), "models.architectures.recurrent"),
    "gated_conv": Architecture(GatedConvSettings, frozenset({"encoder"}), "models.architectures.gated_conv"),
    "wavenet": Architecture(WaveNetSettings, frozenset({"sound_decoder"}), "models.architectures.wavenet"),
    "skip_gram": Architecture(SkipGramSettings, frozenset({"word_vectors"}), "models.architectures.skip_gram"),
    "cbow": Architecture(CbowSettings, frozenset({"word_vectors"}), "models.architectures.cbow"),
    "seq2seq": Architecture(Seq2SeqSettings, frozenset({"encoder", "decoder"}), "models.architectures.seq2seq"),
    "gnmt": Architecture(GnmtSettings, frozenset({"encoder", "decoder"}), "models.architectures.gnmt"),
    "transformer": Architecture(
        TransformerSettings, frozenset({"encoder", "decoder"}), "models.architectures.transformer"
    ),
}
