"""The run from which a model begins, before it is loaded."""

from pathlib import Path

import pytest

from components.errors import EvaluationError
from components.pretrained import read_pretrained
from models.description import ModelDescription
from models.run_settings import RunSettings

MODEL = {"architecture": "transformer", "hidden_dim": 8, "num_heads": 2}


def run(task: str = "text_classification", tokenizer: dict | None = None, **model) -> RunSettings:
    values = {"name": "toy", "task": task, "model": MODEL | model, "tokenizer": tokenizer or {}}
    return RunSettings.model_validate(values)


def left(folder: Path, settings: RunSettings) -> Path:
    folder.mkdir(exist_ok=True)
    described = settings.model_dump(mode="json")
    ModelDescription(name="toy", task=settings.task, architecture="transformer", settings=described).write(folder)
    for name in ("bodies/encoder.weights.h5", "vocabularies/tokenizer.json", "token_vectors.npy"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_what_fits_is_found(tmp_path: Path) -> None:
    folder = left(tmp_path, run("masked_language_modeling"))
    found = read_pretrained(folder, run(dropout=0.5, pooling="max", tokenizer={"max_sequence_length": 7}))
    assert found.folder == folder and found.fingerprint


def test_all_differences_are_told_at_once(tmp_path: Path) -> None:
    folder = left(tmp_path, run("masked_language_modeling", tokenizer={"unit": "word"}))
    with pytest.raises(EvaluationError) as refused:
        read_pretrained(folder, run(num_layers=2, tokenizer={"lowercase": True}))
    for told in (
        "tokenizer.unit word (here wordpiece)",
        "tokenizer.lowercase False (here True)",
        "num_layers 4 (here 2)",
    ):
        assert told in str(refused.value)


def test_characters_that_the_pieces_lack_are_to_be_read_as_there(tmp_path: Path) -> None:
    folder = left(tmp_path, run("masked_language_modeling", tokenizer={"unit": "sentencepiece", "byte_fallback": True}))
    with pytest.raises(EvaluationError, match=r"tokenizer\.byte_fallback True \(here False\)"):
        read_pretrained(folder, run(tokenizer={"unit": "sentencepiece"}))


def test_a_task_whose_unit_is_fixed_needs_another_run(tmp_path: Path) -> None:
    folder = left(tmp_path, run("masked_language_modeling", tokenizer={"unit": "byte"}))
    with pytest.raises(EvaluationError, match="needs a run of unit wordpiece") as refused:
        read_pretrained(folder, run("sequence_labeling"))
    assert "Set these keys" not in str(refused.value), "the configuration would refuse that"
    other = left(tmp_path, run("masked_language_modeling"))
    with pytest.raises(EvaluationError, match="Set these keys"):
        read_pretrained(other, run("sequence_labeling", tokenizer={"lowercase": True}))


def test_another_task_and_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="of task text_classification"):
        read_pretrained(left(tmp_path / "a", run()), run())
    folder = left(tmp_path / "b", run("masked_language_modeling"))
    (folder / "token_vectors.npy").unlink()
    with pytest.raises(EvaluationError, match="lacks token_vectors.npy"):
        read_pretrained(folder, run())
    with pytest.raises(EvaluationError, match="must be a run, its id or its folder"):
        read_pretrained(tmp_path, run())
