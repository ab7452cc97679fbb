from pathlib import Path

import pytest

from pipeline.config import config

DATES = """\
name: dates
task: text_to_text
data: {source: "sample:dates", sample_size: 200}
tokenizer: {unit: character}
model: {architecture: seq2seq, embedding_dim: 8, hidden_dim: 8}
training: {epochs: 1}
"""


@pytest.fixture
def dates_file(tmp_path: Path) -> Path:
    """A small configuration whose output folder is the test's own."""
    path = tmp_path / "dates.yaml"
    path.write_text(f"{DATES}output_dir: {tmp_path}/outputs\n", encoding="utf-8")
    return path


@pytest.fixture
def dates_config(dates_file: Path) -> config.Config:
    return config.load(dates_file)
