"""The real workers on a tiny model."""

import numpy as np
import pytest

from benchmarks.audio.contestants import Plan
from benchmarks.audio.generation import measure, table
from benchmarks.audio.requests import request
from benchmarks.audio.rounds import TORCH_PYTHON, torch_shape
from benchmarks.audio.untrained import export_untrained, settings_of
from benchmarks.audio.workers import Worker
from components.requests import InputSpec
from models.description import ModelDescription


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    folder = tmp_path_factory.mktemp("untrained") / "1"
    export_untrained(folder, settings_of(8, 16, dilation_depth=3, num_stacks=1, sample_rate=8000))
    return folder


def test_labels_are_asked_in_turn_and_each_row_has_its_seed():
    categories = {"label": ["no", "yes"], "speaker": ["x"]}
    described = ModelDescription(
        name="digits", task="audio_generation", architecture="wavenet", settings={}, categories=categories
    )
    numbers = {"num_samples": np.int32, "temperature": np.float32, "seed": np.int32, "label": object}
    specs = {name: InputSpec(np.dtype(dtype), rank=1) for name, dtype in numbers.items()}
    inputs = request(described, specs, 3, 50)
    assert inputs["label"].tolist() == [b"no", b"yes", b"no"]
    assert inputs["seed"].tolist() == [0, 1, 2]
    assert set(inputs) == {"num_samples", "temperature", "seed", "label"}
    copied = request(described, specs | {"audio": InputSpec(np.dtype(np.float32), rank=2)}, 3, 50)
    assert (copied["audio"].shape, copied["num_samples"].tolist()) == ((3, 50), [50] * 3)


def test_every_contestant_of_ours_is_measured(version):
    plan = Plan([1, 2], 500, 5, rounds=1, threads=1, served=False, torch=[])
    result = measure(version, plan)
    figures = {(one["name"], one["rows"]): one for one in result["figures"]}
    assert figures["seqline", 1]["per_second"] > figures["seqline, full pass", 1]["per_second"] > 0
    assert figures["seqline", 2]["samples"] == 1000
    described = ModelDescription.read(version)
    facts = {"model": "tiny", "sample_rate": 8000, "settings": described.settings, "processors": 2}
    written = table(facts | {"rounds": 1, "threads": 1} | result)
    assert "| seqline, 1 |" in written


@pytest.mark.skipif(not TORCH_PYTHON.exists(), reason="PyTorch is set up by benchmarks/audio/setup.sh")
def test_the_peer_has_our_size_and_its_queues_give_the_full_pass(tmp_path, version):
    model = ModelDescription.read(version).settings["model"]
    options = {"shape": torch_shape(model), "threads": 1, "way": "eager"}
    with Worker("benchmarks.audio.torch_generation", options, tmp_path / "log", TORCH_PYTHON) as worker:
        assert worker.facts["difference"] < 1e-4
        assert worker.ask(rows=2, samples=20)["seconds"] > 0
