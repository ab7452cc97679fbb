"""A small configuration, and what is said where one is refused."""

from pathlib import Path

import pytest

from pipeline.config import config
from pipeline.errors import ConfigError

DATES = """\
name: dates
task: text_to_text
data:
  source: sample:dates
model:
  architecture: seq2seq
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dates.yaml"
    path.write_text(DATES, encoding="utf-8")
    return path


def refusal(file: Path, text: str | None = None, overrides: tuple[str, ...] = ()) -> str:
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load(file, overrides)
    return str(caught.value).replace(str(file), "FILE")
