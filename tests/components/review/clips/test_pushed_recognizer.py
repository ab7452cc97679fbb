import shutil
from pathlib import Path

import pytest

from components.errors import EvaluationError
from components.other_models import OtherModel
from components.review.clips.pushed_recognizer import find_recognizer
from components.review.settings import ClipReviewSettings
from models.run_settings import RunSettings
from tests.components.review.clips.tones import RATE, pushed


def find(folder: Path | str, sample_rate: int = RATE) -> OtherModel | None:
    model = {"architecture": "wavenet"}
    run = {"name": "speaker", "task": "audio_generation", "model": model, "audio": {"sample_rate": sample_rate}}
    return find_recognizer(ClipReviewSettings(recognizer=str(folder)), RunSettings.model_validate(run))


def refusal(folder: Path, sample_rate: int = RATE) -> str:
    with pytest.raises(EvaluationError) as caught:
        find(folder, sample_rate)
    return str(caught.value).replace(str(folder.resolve()), "FOLDER")


RULE = "clips.recognizer must be the folder of a pushed model of task audio_classification. Received: FOLDER"
WAY_OUT = "Train and push one by a configuration of its own, or leave clips.recognizer empty."


def test_the_newest_version_by_number_is_taken(ears, tmp_path):
    for version in ("9", "10", "x11", ".incoming-12"):
        shutil.copytree(ears / "1", tmp_path / version)
    found = find(tmp_path)
    assert found and found.folder == tmp_path.resolve() / "10"
    assert (found.description.name, found.description.task) == ("ears", "audio_classification")


def test_relative_paths_start_at_the_working_directory(ears, monkeypatch):
    monkeypatch.chdir(ears.parent)
    found = find(ears.name)
    assert found and found.folder == ears.resolve() / "1"


def test_none_is_looked_for_where_none_is_named():
    assert find("") is None


def test_a_folder_that_is_missing_or_holds_no_version(tmp_path):
    assert refusal(tmp_path / "no") == f"{RULE}, which does not exist. {WAY_OUT}"
    (tmp_path / "logs").mkdir()
    assert refusal(tmp_path) == f"{RULE}, which holds no version (a folder whose name is a number). {WAY_OUT}"


def test_a_model_that_says_nothing_of_itself_or_solves_another_task(ears, tmp_path):
    (tmp_path / "1").mkdir()
    assert refusal(tmp_path) == f"{RULE}/1, whose assets.extra/seqline.json cannot be read. {WAY_OUT}"
    pushed(tmp_path, version=2, task="text_classification")
    assert refusal(tmp_path) == f"{RULE}/2, of task text_classification. {WAY_OUT}"


def test_the_fingerprint_follows_the_files(ears, tmp_path):
    copy = shutil.copytree(ears / "1", tmp_path / "1")
    original, copied = find(ears), find(tmp_path)
    assert original and copied and copied.fingerprint == original.fingerprint
    (copy / "variables" / "variables.index").write_bytes(b"other weights")
    assert copied.fingerprint != original.fingerprint


def test_another_rate_is_refused(ears):
    assert refusal(ears, 8000) == (
        "clips.recognizer must hear at the rate of the clips (audio.sample_rate). "
        "Received: ears, for 1000 Hz, and clips of 8000 Hz. Train both with the same audio.sample_rate."
    )
