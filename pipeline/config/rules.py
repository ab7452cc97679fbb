"""What must hold between the sections of a configuration; each rule gives one sentence for each thing that is wrong."""

from typing import TYPE_CHECKING

from components.errors import EvaluationError
from components.evaluation.catalogue import check_metric_names
from models.architectures.settings.gated_conv import GatedConvSettings
from models.architectures.settings.wavenet import WaveNetSettings
from models.registry import ARCHITECTURES, TASKS

if TYPE_CHECKING:
    from pipeline.config.config import Config


def _architecture_solves_task(config: "Config") -> list[str]:
    if ARCHITECTURES[config.model.architecture].solves(TASKS[config.task]):
        return []
    fitting = [name for name, architecture in ARCHITECTURES.items() if architecture.solves(TASKS[config.task])]
    return [
        f"model.architecture must be one that solves the task {config.task}: {', '.join(fitting)}. "
        f"Received: {config.model.architecture}"
    ]


def _decoding_has_a_use(config: "Config") -> list[str]:
    if config.task == "text_to_text" or "decoding" not in config.model_fields_set:
        return []
    return [f"decoding is for the task text_to_text only; remove the section. Received: task {config.task}"]


def _sections_of_the_kind(config: "Config") -> list[str]:
    """The sections of text have no use for sound, and the other way round."""
    sounds = "audio" in {feature.kind for feature in TASKS[config.task].features}
    section, kind = ("tokenizer", "text") if sounds else ("audio", "audio")
    if section not in config.model_fields_set:
        return []
    return [f"{section} is for {kind} tasks only; remove the section. Received: task {config.task}"]


def _chunks_hold_the_receptive_field(config: "Config") -> list[str]:
    if not isinstance(config.model, WaveNetSettings) or config.training.chunk_length >= config.model.receptive_field:
        return []
    return [
        "training.chunk_length must be at least the model's receptive field: a chunk has that many samples before it "
        f"for context, and learns nothing from them. Received: {config.training.chunk_length}, for a receptive field "
        f"of {config.model.receptive_field} samples. Raise it, or lower model.dilation_depth or model.num_stacks"
    ]


def _conditions_are_in_the_data(config: "Config") -> list[str]:
    if not isinstance(config.model, WaveNetSettings) or config.data.labels_file:
        return []
    missing = [name for name in config.model.condition_on if f"(?P<{name}>" not in config.data.label_pattern]
    return [
        f"model.condition_on names {name}, so data.label_pattern must have a group of that name, (?P<{name}>...), or "
        f"data.labels_file a column. Received: data.label_pattern {config.data.label_pattern!r}"
        for name in missing
    ]


def _clips_have_a_use(config: "Config") -> list[str]:
    if config.task == "audio_generation" or "clips" not in config.model_fields_set:
        return []
    return [f"clips is for the task audio_generation only; remove the section. Received: task {config.task}"]


def _something_says_what_clips_hold(config: "Config") -> list[str]:
    model = config.model
    if config.clips.min_recognized is None or not isinstance(model, WaveNetSettings):
        return []
    if "label" in model.condition_on or model.local_features != "none":
        return []
    return [
        "clips.min_recognized needs a model that can be asked for a label: one with label in model.condition_on, or "
        f"with model.local_features. Received: model.condition_on {list(model.condition_on)}, model.local_features none"
    ]


def _noise_has_a_use(config: "Config") -> list[str]:
    model = config.model
    if not isinstance(model, GatedConvSettings) or model.noise_snr_db is None or config.task == "audio_classification":
        return []
    return [f"model.noise_snr_db is for the task audio_classification only; remove it. Received: task {config.task}"]


def _evaluated_split_exists(config: "Config") -> list[str]:
    splits = config.data.splits()
    if config.evaluation.split in splits:
        return []
    return [f"evaluation.split must be one of {', '.join(splits)}. Received: {config.evaluation.split}"]


def _metrics_exist(config: "Config") -> list[str]:
    try:
        check_metric_names(config.task, config.evaluation)
    except EvaluationError as error:
        return [str(error)]
    return []


RULES = (
    _architecture_solves_task,
    _decoding_has_a_use,
    _sections_of_the_kind,
    _chunks_hold_the_receptive_field,
    _conditions_are_in_the_data,
    _clips_have_a_use,
    _something_says_what_clips_hold,
    _noise_has_a_use,
    _evaluated_split_exists,
    _metrics_exist,
)
