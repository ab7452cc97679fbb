import shutil

import pytest

from components.errors import EvaluationError
from components.review.clips.recognizer import Recognizer
from tests.components.review.clips.tones import RATE, tone


def test_another_rate_is_refused_at_the_clips_too(ears):
    with pytest.raises(EvaluationError, match="Received: ears, for 1000 Hz, and clips of 8000 Hz. Train both"):
        Recognizer(ears / "1").check_fits(8000, [])


def test_a_label_that_it_does_not_know_is_named(ears):
    with pytest.raises(EvaluationError, match="Received: ears, which lacks middle, top; it knows high, low. Train it"):
        Recognizer(ears / "1").check_fits(RATE, ["low", "middle", "top"])


def test_a_model_that_cannot_be_loaded_is_refused(ears, tmp_path):
    broken = shutil.copytree(ears / "1", tmp_path / "1")
    (broken / "saved_model.pb").write_bytes(b"garbage")
    with pytest.raises(EvaluationError, match="must be a model that TensorFlow can load. Received: "):
        Recognizer(broken)


def test_clips_of_any_length_and_number_are_heard_in_order(ears):
    recognizer = Recognizer(ears / "1")
    assert recognizer.name == "ears, version 1"
    labels = ["high", "low", "low"] * 20
    heard = recognizer.hear([tone(label, 100 + number) for number, label in enumerate(labels)])
    assert [one.label for one in heard] == labels
    assert {round(one.probability, 5) for one in heard} == {0.9}
    assert recognizer.hear([]) == []
