from pathlib import Path

import keras
import pytest

from tests.components.clip_review import tiny_audio
from tests.components.clip_review.tiny_audio import CONV, WAVENET, settings_of, trained, write_raw


@pytest.fixture(scope="session")
def two_tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WaveNet that learned two tones by their labels."""
    keras.utils.set_random_seed(7)
    settings = settings_of(
        "audio_generation",
        {**WAVENET, "condition_on": ["label"]},
        epochs=60,
        learning_rate=0.005,
        early_stopping_patience=0,
    )
    return trained(settings, tmp_path_factory.mktemp("two_tones"))


@pytest.fixture(scope="session")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recognizer that learned the same two tones, as version 1 of what was pushed."""
    keras.utils.set_random_seed(7)
    settings = settings_of("audio_classification", CONV, epochs=15, learning_rate=0.01, early_stopping_patience=0)
    folder = tmp_path_factory.mktemp("ears")
    return trained(settings, folder).rename(folder / "1")


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten recordings, five of each tone; the median length is 400."""
    clips = [*tiny_audio.tones(8, seed=9), ("high", "", tiny_audio.tone("high", 300))]
    return write_raw([*clips, ("low", "", tiny_audio.tone("low", 600))], tmp_path_factory.mktemp("raw") / "Split-eval")
