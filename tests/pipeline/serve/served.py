"""A served model, and the arguments with which `seqline predict` finds it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from typer.testing import CliRunner, Result

from pipeline.cli import app
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models

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
NAMES = """\
name: digits
task: sequence_labeling
data: {path: names.conll}
model: {architecture: recurrent}
"""
DATES = """\
name: digits
task: text_to_text
data: {source: "sample:dates"}
model: {architecture: seq2seq}
"""


@contextlib.contextmanager
def served(model: Path, config: str, folder: Path) -> Iterator[list[str]]:
    """A server of the model, and the arguments that find it."""
    saved_models.publish(model, folder / "base", 1)
    (folder / "digits.yaml").write_text(f"{config}output_dir: {folder}/outputs\n")
    with Server("digits", folder / "base", ServingSettings(port=0, rest={"enabled": False})) as server:
        server.wait_until_available(20)
        yield ["-c", str(folder / "digits.yaml"), "--set", f"serving.port={server.port}"]


def seqline(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))
