"""What must hold between the sections of a configuration; each rule gives one sentence for each thing that is wrong.

A rule names the sections that it needs as its arguments. It is asked when those are valid, whatever is wrong elsewhere.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from components.evaluation.catalogue import impossible_bounds, unknown_metrics
from components.evaluation.settings import EvaluationSettings
from components.example_gen.formats import READERS
from components.example_gen.name_rules import names_problems
from components.example_gen.settings import DataSettings
from models.architectures.settings.architecture import ArchitectureSettings
from models.labeling_settings import LabelingSettings
from models.registry import ARCHITECTURES, TASKS
from models.settings import markers_of
from models.tokenizers.settings import TokenizerSettings
from models.training_settings import TrainingSettings


def broken_rules(sections: Mapping[str, Any]) -> list[str]:
    """Asks every rule that can be asked.

    Args:
        sections: name to value of what is valid, top-level keys such as `task` included.
    """
    problems: list[str] = []
    for rule in RULES:
        needed = inspect.signature(rule).parameters
        if needed.keys() <= sections.keys():
            problems += rule(**{name: sections[name] for name in needed})
    return problems


def _architecture_solves_task(task: str, model: ArchitectureSettings) -> Iterator[str]:
    if not ARCHITECTURES[model.architecture].solves(TASKS[task]):
        fitting = [name for name, architecture in ARCHITECTURES.items() if architecture.solves(TASKS[task])]
        yield (
            f"model.architecture must be one that solves the task {task}: {', '.join(fitting)}. "
            f"Received: {model.architecture}"
        )


def _unit_fits_task(task: str, tokenizer: TokenizerSettings) -> Iterator[str]:
    units = TASKS[task].units
    if units and tokenizer.unit not in units:
        yield f"tokenizer.unit must be {' or '.join(units)} for the task {task}. Received: {tokenizer.unit}"


def _one_table_has_one_vocabulary(model: ArchitectureSettings, tokenizer: TokenizerSettings) -> Iterator[str]:
    if getattr(model, "share_embeddings", False) and not tokenizer.shared:
        yield (
            "model.share_embeddings needs tokenizer.shared: true: one table of vectors has one vocabulary. Received: "
            "tokenizer.shared false"
        )


def _chunks_hold_the_receptive_field(
    task: str, model: ArchitectureSettings, training: TrainingSettings
) -> Iterator[str]:
    if "chunks" in TASKS[task].all_uses and training.chunk_length < model.receptive_field:
        yield (
            "training.chunk_length must be at least the model's receptive field: a chunk has that many samples before "
            f"it for context, and learns nothing from them. Received: {training.chunk_length}, for a receptive field "
            f"of {model.receptive_field} samples. Raise it, or lower model.dilation_depth or model.num_stacks"
        )


def _a_stream_is_in_order(task: str, data: DataSettings, training: TrainingSettings) -> Iterator[str]:
    if "stream" in TASKS[task].all_uses and training.sequence_length and not data.ordered:
        yield (
            "training.sequence_length needs data.ordered: true: states go on from text to text, so these must follow "
            f"one another as they stand in the files. Received: training.sequence_length {training.sequence_length}, "
            "data.ordered false. Set data.ordered: true, or training.sequence_length: 0 for texts one by one"
        )


def _rows_of_a_stream_are_counted(task: str, model: ArchitectureSettings, training: TrainingSettings) -> Iterator[str]:
    if "stream" in TASKS[task].all_uses and training.sequence_length and training.batch_tokens and model.carries_states:
        yield (
            "training.batch_tokens must be 0 where a stream is read by rows that go on from batch to batch "
            f"(training.sequence_length): their number is training.batch_size. Received: {training.batch_tokens}"
        )


def _a_stream_shows_all_positions(task: str, model: ArchitectureSettings, training: TrainingSettings) -> Iterator[str]:
    if "stream" in TASKS[task].all_uses and 0 < training.sequence_length < model.receptive_field:
        yield (
            "training.sequence_length must be at least the positions that the model sees at a time: of positions that "
            f"training has not shown it knows nothing. Received: {training.sequence_length}, for a model that sees "
            f"{model.receptive_field}. Raise it, or lower model.context_length"
        )


def _tokens_begin_with_one_thing(model: ArchitectureSettings, training: TrainingSettings) -> Iterator[str]:
    embeddings = getattr(model, "embeddings", None)
    if training.init_from and embeddings and embeddings.source:
        yield (
            "model.embeddings.from must be empty where the model begins with the encoder of a run and its vectors "
            f"(training.init_from). Received: {embeddings.source}. Remove one of them"
        )


def _pieces_are_read_as_they_are(labeling: LabelingSettings, training: TrainingSettings) -> Iterator[str]:
    if training.init_from and labeling.unknown_share:
        yield (
            "labeling.unknown_share must be 0 where the pieces of words are read (training.init_from). Received: "
            f"{labeling.unknown_share}. Remove one of them"
        )


def _smoothing_has_single_tags(task: str, labeling: LabelingSettings, training: TrainingSettings) -> Iterator[str]:
    if "tags" in TASKS[task].all_uses and labeling.crf and training.label_smoothing:
        yield (
            "training.label_smoothing must be 0 where labeling.crf is true: whole sequences of tags are right or "
            f"wrong, no single ones. Received: {training.label_smoothing}. Remove it, or set labeling.crf to false"
        )


def _named_features_exist(task: str, model: ArchitectureSettings) -> Iterator[str]:
    if not ARCHITECTURES[model.architecture].solves(TASKS[task]):
        return
    for key, kind, name in _named_features(model):
        valid = [feature.name for feature in TASKS[task].features if feature.kind == kind]
        if name not in valid:
            close = difflib.get_close_matches(name, valid, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield (f"{key} must name {kind} features of the task {task}: {', '.join(valid)}. Received: {name}{hint}")


def _named_features_are_in_the_data(task: str, model: ArchitectureSettings, data: DataSettings) -> Iterator[str]:
    # A feature that the task cannot do without is missed when the data are read.
    optional = {feature.name for feature in TASKS[task].features if feature.optional}
    groups = re.compile(data.label_pattern).groupindex
    for key, _, name in _named_features(model):
        if name in optional and name not in groups and not data.labels_file:
            yield (
                f"{key} names {name}, so data.label_pattern must have a group of that name, (?P<{name}>...), or "
                f"data.labels_file a column. Received: data.label_pattern {data.label_pattern!r}"
            )


def _names_of_files_fit(task: str, data: DataSettings) -> Iterator[str]:
    yield from names_problems(data, TASKS[task].features, data.told_format())


def _named_features(model: ArchitectureSettings) -> Iterator[tuple[str, str, str]]:
    """The key, the kind and the name of each feature that the model names."""
    for key, field in type(model).model_fields.items():
        if kind := markers_of(field).get("names_features"):
            yield from ((f"model.{key}", kind, name) for name in getattr(model, key))


def _evaluated_split_exists(data: DataSettings, evaluation: EvaluationSettings) -> Iterator[str]:
    if evaluation.split not in data.splits():
        yield f"evaluation.split must be one of {', '.join(data.splits())}. Received: {evaluation.split}"


def _slices_are_of_columns(task: str, data: DataSettings, evaluation: EvaluationSettings) -> Iterator[str]:
    tables = [name for name, reader in READERS.items() if "column" in reader.kinds]
    told = data.source or data.told_format()
    if evaluation.slice_by and told and told not in tables:
        yield f"evaluation.slice_by names columns of tables ({', '.join(tables)}); the data are {told}: remove it"
    for name in {feature.name for feature in TASKS[task].features} & set(evaluation.slice_by):
        yield (
            f"evaluation.slice_by names columns besides the features of the task {task}; remove {name}: labels and "
            "lengths have slices of their own (evaluation.slice_by_label, evaluation.length_buckets)"
        )


def _metrics_exist(task: str, evaluation: EvaluationSettings) -> Iterator[str]:
    yield from unknown_metrics(task, evaluation)


def _bounds_can_be_met(task: str, evaluation: EvaluationSettings) -> Iterator[str]:
    yield from impossible_bounds(task, evaluation)


RULES: tuple[Callable[..., Iterator[str]], ...] = (
    _architecture_solves_task,
    _unit_fits_task,
    _one_table_has_one_vocabulary,
    _chunks_hold_the_receptive_field,
    _a_stream_is_in_order,
    _rows_of_a_stream_are_counted,
    _a_stream_shows_all_positions,
    _tokens_begin_with_one_thing,
    _pieces_are_read_as_they_are,
    _smoothing_has_single_tags,
    _named_features_exist,
    _named_features_are_in_the_data,
    _names_of_files_fit,
    _evaluated_split_exists,
    _slices_are_of_columns,
    _metrics_exist,
    _bounds_can_be_met,
)
