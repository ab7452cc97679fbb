"""Sound asked of a real server, as a person does with `seqline predict`."""

import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from serving.server import Server
from serving.settings import ServingSettings
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


@pytest.fixture
def digits(tmp_path: Path):
    """A server of a generator whose samples all have the level of seed / 100, and the arguments that find it."""
    saved_models.publish(task_models.save_audio_generator(tmp_path / "saved"), tmp_path / "base", 1)
    (tmp_path / "digits.yaml").write_text(DIGITS)
    with Server("digits", tmp_path / "base", ServingSettings(port=0, rest={"enabled": False})) as server:
        server.wait_until_available(20)
        yield ["-c", str(tmp_path / "digits.yaml"), "--set", f"serving.port={server.port}"]


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
        (["--label", "seven", "--speaker", "ann"], "the model is not conditioned on the speaker; leave --speaker ann"),
        (["--label", "seven", "--out", "/nowhere/at/all.wav"], "/nowhere/at/all.wav cannot be written"),
    ],
)
def test_what_cannot_be_is_said(digits: list[str], arguments: list[str], problem: str) -> None:
    result = seqline("predict", *arguments, *digits)
    assert result.exit_code == 2
    assert problem in result.stderr
