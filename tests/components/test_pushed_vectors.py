"""Vectors of another run, before they are loaded, and as an input of training."""

from pathlib import Path

import numpy as np
import pytest

from components.errors import EvaluationError
from components.pushed_vectors import find_vectors
from models.description import ModelDescription
from models.run_settings import RunSettings
from models.words.files import write_text


def run(source: Path | str, embedding_dim: int = 3) -> RunSettings:
    model = {"architecture": "recurrent", "embedding_dim": embedding_dim, "embeddings": {"from": str(source)}}
    return RunSettings.model_validate({"name": "toy", "task": "text_classification", "model": model})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_text(["a"], np.ones((1, 3), np.float32), tmp_path / "v.txt")
    return tmp_path / "v.txt"


@pytest.fixture
def pushed(tmp_path: Path) -> Path:
    folder = tmp_path / "words" / "7"
    folder.mkdir(parents=True)
    settings = {"model": {"embedding_dim": 3}}
    ModelDescription(name="words", task="word_embedding", architecture="cbow", settings=settings).write(folder)
    return folder


def test_a_file_or_the_newest_version_is_found(file: Path, pushed: Path) -> None:
    assert find_vectors(run(file)).folder == file
    assert find_vectors(run(pushed.parent)).folder == pushed
    assert find_vectors(run("")) is None
    sound = {"architecture": "wavenet"}
    assert find_vectors(RunSettings.model_validate({"name": "a", "task": "audio_generation", "model": sound})) is None


def test_another_content_has_another_fingerprint(file: Path) -> None:
    before = find_vectors(run(file)).fingerprint
    write_text(["b"], np.ones((1, 3), np.float32), file)
    assert find_vectors(run(file)).fingerprint != before


def test_what_does_not_fit_is_refused(file: Path, pushed: Path, tmp_path: Path) -> None:
    for source in (file, pushed.parent):
        with pytest.raises(EvaluationError, match=r"embedding_dim must be .* Set model.embedding_dim=3"):
            find_vectors(run(source, embedding_dim=4))
    with pytest.raises(EvaluationError, match=r"model.embeddings.from must be .*which does not exist"):
        find_vectors(run(tmp_path / "nothing"))
    file.write_text("no vectors\n")
    with pytest.raises(EvaluationError, match="does not hold two numbers"):
        find_vectors(run(file))
    ModelDescription(name="w", task="text_to_text", architecture="seq2seq", settings={}).write(pushed)
    with pytest.raises(EvaluationError, match="of task text_to_text"):
        find_vectors(run(pushed.parent))
