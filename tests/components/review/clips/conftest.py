from pathlib import Path

import pytest

from tests.components.review.clips.tones import pushed, speaker, tone, tones, write_raw


@pytest.fixture(scope="session")
def two_tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that speaks two tones by their labels."""
    return speaker(tmp_path_factory.mktemp("two_tones") / "model")


@pytest.fixture(scope="session")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pushed recognizer that hears the same two tones."""
    return pushed(tmp_path_factory.mktemp("ears"))


@pytest.fixture(scope="session")
def deaf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recognizer that hears "low" in everything that it calls high too."""
    return pushed(tmp_path_factory.mktemp("deaf"), high="low")


@pytest.fixture(scope="session")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten recordings, five of each tone; the median length is 400."""
    recordings = [*tones(8, seed=9), ("high", "", tone("high", 300)), ("low", "", tone("low", 600))]
    return write_raw(recordings, tmp_path_factory.mktemp("raw") / "Split-eval")
