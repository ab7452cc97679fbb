import shutil
from pathlib import Path

import pytest

from components.clip_review.pushed_recognizer import find_recognizer
from components.errors import EvaluationError
from tests.components.clip_review.tiny_audio import RATE, pushed


def refusal(folder: Path, sample_rate: int = RATE) -> str:
    with pytest.raises(EvaluationError) as caught:
        find_recognizer(str(folder), sample_rate)
    return str(caught.value).replace(str(folder.resolve()), "FOLDER")


RULE = "clips.recognizer must be the folder of a pushed model of task audio_classification. Received: FOLDER"
WAY_OUT = "Train and push one by a configuration of its own, or leave clips.recognizer empty."


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pushed(tmp_path_factory.mktemp("ears"))


def test_the_newest_version_by_number_is_taken(ears, tmp_path):
    for version in ("9", "10", "x11", ".incoming-12"):
        shutil.copytree(ears / "1", tmp_path / version)
    assert find_recognizer(str(tmp_path), RATE) == tmp_path.resolve() / "10"


def test_relative_paths_start_at_the_working_directory(ears, monkeypatch):
    monkeypatch.chdir(ears.parent)
    assert find_recognizer(ears.name, RATE) == ears.resolve() / "1"


def test_a_folder_that_is_missing_or_holds_no_version(tmp_path):
    assert refusal(tmp_path / "no") == f"{RULE}, which does not exist. {WAY_OUT}"
    (tmp_path / "logs").mkdir()
    assert refusal(tmp_path) == f"{RULE}, which holds no version (a folder whose name is a number). {WAY_OUT}"


def test_a_model_that_says_nothing_of_itself_or_solves_another_task(ears, tmp_path):
    (tmp_path / "1").mkdir()
    assert refusal(tmp_path) == f"{RULE}/1, whose assets.extra/seqline.json cannot be read. {WAY_OUT}"
    pushed(tmp_path, version=2, task="text_classification")
    assert refusal(tmp_path) == f"{RULE}/2, of task text_classification. {WAY_OUT}"


def test_another_rate_is_refused(ears):
    assert refusal(ears, 8000) == (
        "clips.recognizer must hear at the rate of the clips (audio.sample_rate). "
        "Received: ears, for 1000 Hz, and clips of 8000 Hz. Train both with the same audio.sample_rate."
    )
