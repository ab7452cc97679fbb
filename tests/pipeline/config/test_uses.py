from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest
import yaml

from models.architectures.settings.architecture import MODEL_USES
from models.registry import ARCHITECTURES, TASKS
from models.run_settings import RunSettings
from models.settings import markers_of
from pipeline.config.config import Config, load
from pipeline.errors import ConfigError

DATES = {
    "name": "toy",
    "task": "text_to_text",
    "data": {"source": "sample:dates"},
    "model": {"architecture": "seq2seq"},
}
REVIEWS = {
    "name": "toy",
    "task": "text_classification",
    "data": {"train": "a.tsv", "eval": "b.tsv"},
    "model": {"architecture": "recurrent"},
}
DIGITS = {
    "name": "toy",
    "task": "audio_generation",
    "data": {"path": "a.wav", "label_pattern": "(?P<label>a)"},
    "model": {"architecture": "wavenet"},
}
PLAYS = {
    "name": "toy",
    "task": "language_modeling",
    "data": {"path": "a.txt", "format": "text", "ordered": True},
    "model": {"architecture": "recurrent"},
}
WORDS = {
    "name": "toy",
    "task": "word_embedding",
    "data": {"train": "a.txt", "eval": "b.txt", "format": "lines"},
    "tokenizer": {"unit": "word"},
    "model": {"architecture": "skip_gram"},
}
NAMES = {
    "name": "toy",
    "task": "sequence_labeling",
    "data": {"train": "a.conll", "eval": "b.conll"},
    "model": {"architecture": "recurrent"},
}
EARS = {**DIGITS, "task": "audio_classification", "model": {"architecture": "gated_conv"}}


def problems(tmp_path: Path, settings: dict, overrides: list[str]) -> list[str]:
    file = tmp_path / "toy.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    try:
        load(file, overrides)
    except ConfigError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    ("settings", "override", "rule"),
    [
        # For other tasks: a section, then keys.
        (REVIEWS, "decoding={}", "decoding is for the tasks text_to_text, language_modeling only; remove the"),
        (EARS, "clips.per_label=1", "clips is for the task audio_generation only; remove the section"),
        (DATES, "training.chunk_length=9000", "training.chunk_length is for the task audio_generation only; remove it"),
        (
            EARS,
            "model.embeddings={}",
            "model.embeddings is for the tasks text_classification, masked_language_modeling, sequence_labeling only",
        ),
        (NAMES, "tokenizer.byte_fallback=true", "tokenizer.byte_fallback is for the tasks text_classification, "),
        (DATES, "vectors={}", "vectors is for the task word_embedding only; remove the section"),
        (DATES, "decoding.top_k=5", "decoding.top_k is for the task language_modeling only; remove it"),
        (PLAYS, "decoding.beam_width=2", "decoding.beam_width is for the task text_to_text only; remove it"),
        (DATES, "texts.per_temperature=1", "texts is for the task language_modeling only; remove the section"),
        (DATES, "training.sequence_length=5", "training.sequence_length is for the task language_modeling only"),
        (PLAYS, "model.bidirectional=false", "model.bidirectional is for the tasks text_classification, text_to_text"),
        (PLAYS, "model={architecture: seq2seq, attention: luong}", "model.attention is for the task text_to_text"),
        (
            EARS,
            "model.embedding_dim=8",
            "model.embedding_dim is for the tasks text_classification, masked_language_modeling, sequence_labeling "
            "only; remove it",
        ),
        (DATES, "model.pooling=max", "model.pooling is for the tasks text_classification, audio_classification only"),
        (REVIEWS, "model={architecture: seq2seq, attention: luong}", "model.attention is for the task text_to_text"),
        (REVIEWS, "tokenizer.shared=true", "tokenizer.shared is for the task text_to_text only; remove it"),
        (
            DATES,
            "evaluation.slice_by_label=false",
            "evaluation.slice_by_label is for the tasks text_classification, audio_generation, audio_classification "
            "only; remove it",
        ),
        (
            DIGITS,
            "evaluation.length_buckets=[5]",
            "evaluation.length_buckets is for the tasks text_classification, text_to_text, sequence_labeling only; "
            "remove it",
        ),
    ],
)
def test_a_key_for_other_tasks_is_refused(tmp_path: Path, settings: dict, override: str, rule: str) -> None:
    assert problems(tmp_path, settings, []) == []
    (line,) = problems(tmp_path, settings, [override])
    assert line.startswith(f"--set {override}: {rule}")
    assert line.endswith(f" Received: task {settings['task']}")


@pytest.mark.parametrize(
    ("settings", "overrides", "line"),
    [
        (
            REVIEWS,
            ["model.embeddings={trainable: false}"],
            "model.embeddings.trainable goes with model.embeddings.from only; remove it. "
            "Received: model.embeddings.from none",
        ),
        (
            REVIEWS,
            ["tokenizer.minimum_count=2"],
            "tokenizer.minimum_count goes with tokenizer.unit word or character only; remove it. "
            "Received: tokenizer.unit wordpiece",
        ),
        (
            DATES,
            ["training.weight_decay=0.1"],
            "training.weight_decay goes with training.optimizer adamw only; remove it. "
            "Received: training.optimizer adam",
        ),
        (
            DIGITS,
            ["audio.trim_silence_at=end"],
            "audio.trim_silence_at goes with audio.trim_silence_db only; remove it. "
            "Received: audio.trim_silence_db none",
        ),
        (
            DIGITS,
            ["model.num_mel_bins=20"],
            "model.num_mel_bins goes with model.local_features log_mel only; remove it. "
            "Received: model.local_features none",
        ),
        (
            DIGITS,
            ["model.condition_dim=4"],
            "model.condition_dim goes with model.condition_on only; remove it. Received: model.condition_on []",
        ),
        (
            REVIEWS,
            ["evaluation.length_unit=words", "evaluation.length_buckets=[]"],
            "evaluation.length_unit goes with evaluation.length_buckets only; remove it. "
            "Received: evaluation.length_buckets []",
        ),
        (
            PLAYS,
            ["training.reset_states=document"],
            "training.reset_states goes with training.sequence_length only; remove it. "
            "Received: training.sequence_length 0",
        ),
        (
            REVIEWS,
            ["data.passage_length=5"],
            "data.passage_length goes with data.format text only; remove it. Received: data.format auto",
        ),
        (
            REVIEWS,
            ["tokenizer.vocabulary_size=300", "tokenizer.unit=byte"],
            "tokenizer.vocabulary_size goes with tokenizer.unit word or wordpiece or sentencepiece or character only; "
            "remove it. "
            "Received: tokenizer.unit byte",
        ),
        (
            DATES,
            ["data.encoding=cp1252"],
            "data.encoding goes with data.source empty only; remove it. Received: data.source sample:dates",
        ),
        (
            REVIEWS,
            ["data.split={train: 4, eval: 1}", "data.path=", "data.train=a.tsv", "data.eval=b.tsv"],
            "data.split goes with data.train empty only; remove it. Received: data.train a.tsv",
        ),
        (
            DIGITS,
            ["clips.seed=4", "clips.per_label=0"],
            "clips.seed goes with clips.per_label only; remove it. Received: clips.per_label 0",
        ),
    ],
)
def test_a_key_for_other_values_beside_it_is_refused(
    tmp_path: Path, settings: dict, overrides: list[str], line: str
) -> None:
    assert problems(tmp_path, settings, overrides) == [f"--set {overrides[0]}: {line}"]


@pytest.mark.parametrize(
    ("settings", "override", "line"),
    [
        (
            DATES,
            "decoding.coverage_penalty=0.2",
            "decoding.coverage_penalty needs a model with attention: seq2seq with another model.attention than none, "
            "gnmt or transformer; remove it. Received: model.attention none",
        ),
        (
            DIGITS,
            "clips={recognizer: ears, min_recognized: 0.5}",
            "clips.min_recognized needs a model that can be asked for a label: one with label in model.condition_on, "
            "or with model.local_features; remove it. Received: model.condition_on [], model.local_features none",
        ),
    ],
)
def test_a_key_for_other_models_is_refused(tmp_path: Path, settings: dict, override: str, line: str) -> None:
    given = ["model.attention=none"] if settings is DATES else []
    assert problems(tmp_path, settings, [*given, override]) == [f"--set {override}: {line}"]


def test_a_model_without_the_keys_is_named(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, DATES, ["model.architecture=recurrent", "decoding.coverage_penalty=0.2"])
    assert line.endswith("remove it. Received: model.architecture recurrent")


@pytest.mark.parametrize(
    ("settings", "overrides"),
    [
        (DATES, ["training.optimizer=adamw", "training.weight_decay=0.1", "tokenizer.shared=true"]),
        (DATES, ["decoding.coverage_penalty=0.2", "model.attention=luong", "evaluation.length_unit=characters"]),
        (DATES, ["model.attention=luong_dot", "model.input_feeding=false"]),
        (DATES, ["training.schedule=halving", "training.decay_start_step=100", "training.decay_steps=10"]),
        (DATES, ["model={architecture: gnmt}", "decoding.coverage_penalty=0.2"]),
        (REVIEWS, ["model.pooling=max", "model.embedding_dim=8", "evaluation.slice_by_label=false"]),
        (REVIEWS, ["model.embeddings={from: words.bin, trainable: false}"]),
        (DATES, ["tokenizer={unit: sentencepiece, model: bpe, character_coverage: 0.9, byte_fallback: true}"]),
        (NAMES, ["tokenizer.minimum_count=2", "tokenizer.vocabulary_size=100"]),
        (WORDS, ["tokenizer.minimum_count=5", "vectors={analogies: q.txt, min_analogy_accuracy: 0.1}"]),
        (EARS, ["model.noise_snr_db=5", "model.pooling=max", "audio={trim_silence_db: 30, trim_silence_at: end}"]),
        (DIGITS, ["model.condition_on=[label]", "model.condition_dim=4", "training.chunk_length=9000"]),
        (DIGITS, ["model.local_features=log_mel", "clips={recognizer: ears, min_recognized: 0.5}"]),
    ],
)
def test_where_it_has_a_use_it_is_accepted(tmp_path: Path, settings: dict, overrides: list[str]) -> None:
    assert problems(tmp_path, settings, overrides) == []


def test_a_key_that_is_left_out_is_never_refused(tmp_path: Path) -> None:
    """Defaults of keys without a use stand in every section."""
    for settings in (DATES, REVIEWS, DIGITS, EARS):
        assert problems(tmp_path, settings, ["training={}", "evaluation={}"]) == []


def test_a_task_of_words_wants_words(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, WORDS, ["tokenizer.unit=byte"])
    assert "tokenizer.unit must be word for the task word_embedding. Received: byte" in line


def test_a_bound_of_what_is_not_asked_is_refused(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, WORDS, ["vectors.min_analogy_accuracy=0.1"])
    assert "vectors.min_analogy_accuracy needs vectors.analogies" in line


def test_what_embeddings_come_from_is_written_as_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "toy.yaml"
    file.write_text(yaml.safe_dump(REVIEWS), encoding="utf-8")
    settings = load(file, ["model.embeddings={from: words.bin, trainable: false}"]).run_settings()
    again = RunSettings.model_validate_json(settings.model_dump_json())
    assert again == settings and again.model.embeddings.source == "words.bin"
    (line,) = problems(tmp_path, REVIEWS, ["model.embeddings.form=words.bin"])
    assert "did you mean model.embeddings.from?" in line


def test_keys_of_a_model_that_does_not_solve_the_task_are_not_told_as_well(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, DATES, ["model={architecture: gated_conv, pooling: max}"])
    assert "model.architecture must be one that solves the task text_to_text" in line


def settings_classes() -> Iterator[type[pydantic.BaseModel]]:
    """All sections, with those inside them."""
    waiting = [Config, *(entry.settings for entry in ARCHITECTURES.values())]
    while waiting:
        yield (settings := waiting.pop())
        annotations = (field.annotation for field in settings.model_fields.values())
        waiting += [one for one in annotations if isinstance(one, type) and issubclass(one, pydantic.BaseModel)]


def test_what_is_marked_beside_keys_exists() -> None:
    uses = set(MODEL_USES).union(*(task.all_uses for task in TASKS.values()))
    seen = 0
    for settings in settings_classes():
        for name, field in settings.model_fields.items():
            markers = markers_of(field)
            seen += bool(markers)
            assert markers.get("only_for", "label") in uses, f"{settings.__name__}.{name}"
            assert set(markers.get("only_with", {})) <= set(settings.model_fields), f"{settings.__name__}.{name}"
            assert markers.get("names_features", "label") in {f.kind for task in TASKS.values() for f in task.features}
    assert seen > 20


@pytest.mark.parametrize(("value", "new"), [("true", "residual"), ("false", "none")])
def test_the_old_name_of_residual_connections_is_refused_with_the_new_one(tmp_path: Path, value: str, new: str) -> None:
    [line] = problems(tmp_path, REVIEWS, [f"model.residual={value}"])
    assert line == (
        f"--set model.residual={value}: model.residual is one of several connections now; write model.connections: "
        f"{new} in its place. Received: {value}"
    )
