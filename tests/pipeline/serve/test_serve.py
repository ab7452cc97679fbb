"""Serving where little can be written."""

from pathlib import Path

import pytest

from pipeline.serve.serve import _own_words


def test_a_log_that_cannot_be_written_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs").touch()
    log = tmp_path / "outputs" / "logs" / "serve.log"
    with _own_words(log) as stream:
        print("served", file=stream)
    assert capsys.readouterr().out == f"{log} cannot be written (Not a directory): nothing is kept of the log\nserved\n"


def test_a_log_that_can_be_written_is_no_news(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _own_words(tmp_path / "logs" / "serve.log") as stream:
        print("served", file=stream)
    assert capsys.readouterr().out == "served\n"
