"""Sound asked of a real server, as a person does with `seqline predict`."""

import contextlib
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from serving.server import Server
from serving.settings import ServingSettings
from tests.components.example_gen.recordings import write_wav
from tests.serving import saved_models, task_models

DIGITS = """\
name: digits
task: audio_generation
data:
  path: digits.tar
  label_pattern: (?P<label>\\w+)_
audio: {sample_rate: 8000}
model:
  architecture: wavenet
  condition_on: [label]
"""


EARS = """\
name: digits
task: audio_classification
data:
  path: digits.tar
  label_pattern: (?P<label>\\w+)_
audio: {sample_rate: 8000}
model: {architecture: gated_conv}
"""


@contextlib.contextmanager
def served(model: Path, config: str, folder: Path) -> Iterator[list[str]]:
    """A server of the model, and the arguments that find it."""
    saved_models.publish(model, folder / "base", 1)
    (folder / "digits.yaml").write_text(config)
    with Server("digits", folder / "base", ServingSettings(port=0, rest={"enabled": False})) as server:
        server.wait_until_available(20)
        yield ["-c", str(folder / "digits.yaml"), "--set", f"serving.port={server.port}"]


@pytest.fixture
def digits(tmp_path: Path):
    """A generator whose samples all have the level of seed / 100."""
    with served(task_models.save_audio_generator(tmp_path / "saved"), DIGITS, tmp_path) as arguments:
        yield arguments


def seqline(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_clip_is_generated_and_written(digits: list[str], tmp_path: Path) -> None:
    out = tmp_path / "seven.wav"
    result = seqline("predict", "--label", "seven", "--out", out, "--seconds", 0.5, "--seed", 50, *digits)
    assert result.output == f"Wrote {out}: seven, 0.50 s at 8000 Hz\n"
    with wave.open(str(out)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        samples = np.frombuffer(file.readframes(10_000), "<i2")
    assert samples.tolist() == [round(0.5 * 32767)] * 4000


def test_a_label_need_not_be_named(digits: list[str], tmp_path: Path) -> None:
    out = tmp_path / "any.wav"
    assert seqline("predict", "--out", out, *digits).output.startswith(f"Wrote {out}: ")
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--label", "eleven"], "error: --label must be one of: seven, eight. Received: eleven\n"),
        (["--label", "seven", "--speaker", "ann"], "the model is not conditioned on the speaker; leave --speaker ann"),
        (["--label", "seven", "--out", "/nowhere/at/all.wav"], "/nowhere/at/all.wav cannot be written"),
    ],
)
def test_what_cannot_be_is_said(digits: list[str], arguments: list[str], problem: str) -> None:
    result = seqline("predict", *arguments, *digits)
    assert result.exit_code == 2
    assert problem in result.stderr


def test_recordings_are_classified(tmp_path: Path) -> None:
    loud, quiet = (write_wav(tmp_path / f"{level}.wav", np.full(800, level), rate=8000) for level in (0.9, 0.1))
    with served(task_models.save_audio_classifier(tmp_path / "saved"), EARS, tmp_path) as arguments:
        result = seqline("predict", loud, quiet, *arguments)
        assert result.output.splitlines() == [
            "loud  (loud 0.750, quiet 0.250)",
            "quiet  (quiet 0.750, loud 0.250)",
        ]
        (tmp_path / "text.wav").write_text("no sound")
        refused = seqline("predict", tmp_path / "text.wav", *arguments)
        assert (refused.exit_code, "text.wav: " in refused.stderr) == (2, True)
        assert "nothing.wav cannot be read" in seqline("predict", tmp_path / "nothing.wav", *arguments).stderr
