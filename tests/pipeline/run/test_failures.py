import errno
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.errors import DataError
from pipeline.run.failures import gist, is_disk_full, user_message
from serving.errors import ServerStartError
from tests.pipeline.tiny_stages import refuse


def raised_by(action) -> BaseException:
    with pytest.raises(Exception) as caught:
        action()
    return caught.value


def wrapped(cause: BaseException) -> RuntimeError:
    def action() -> None:
        try:
            raise cause
        except Exception as error:
            raise RuntimeError("a stage failed") from error

    return raised_by(action)


@pytest.mark.parametrize("error", [DataError("eval is empty. Give some"), ServerStartError("eval is empty. Give some")])
def test_an_error_of_ours_is_found_below_others(error: Exception) -> None:
    assert user_message(wrapped(error)) == "eval is empty. Give some"
    assert user_message(wrapped(ValueError("eval is empty"))) is None


def test_an_error_of_ours_comes_out_of_beam_as_it_was() -> None:
    def action() -> None:
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            pipeline | beam.Create(["a"]) | "Parse" >> beam.Map(refuse)

    assert user_message(raised_by(action)) == "train.tsv:1: a has one column.\nTwo are needed"


def test_an_error_of_ours_is_found_in_the_text_of_a_remote_trace() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "x.py", line 1, in f\n'
        "components.errors.DataError: train.tsv:1: a has one column. [while running 'Parse']\n\n"
    )
    assert user_message(RuntimeError(trace)) == "train.tsv:1: a has one column."


def test_text_that_only_looks_like_an_error_of_ours_is_none() -> None:
    assert user_message(RuntimeError("models.nowhere.NoError: x")) is None
    assert user_message(RuntimeError("components.errors.os: x")) is None


def test_a_full_disk_is_known_by_number_and_by_text() -> None:
    def fill() -> None:
        with open("/dev/full", "w") as full:
            full.write("x" * 100_000)

    assert is_disk_full(wrapped(raised_by(fill)))
    assert is_disk_full(RuntimeError("RESOURCE_EXHAUSTED: model.h5; No space left on device"))
    assert is_disk_full(RuntimeError("sqlite: database or disk is full"))
    assert not is_disk_full(OSError(errno.EACCES, "Permission denied"))


def test_a_full_disk_is_seen_behind_a_failed_clean_up(tmp_path: Path) -> None:
    def action() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        finally:
            (tmp_path / "gone").unlink()

    assert is_disk_full(raised_by(action))


def test_the_gist_is_the_innermost_cause_in_few_lines() -> None:
    message = "\x1b[1mYou cannot add a layer.\x1b[0m\n\nArguments:\n a\n b\n c"
    assert gist(wrapped(ValueError(message))) == "ValueError: You cannot add a layer.\nArguments:\na"
    assert gist(RuntimeError("Traceback (most recent call last):\n  File x\nKeyError: 'label'")) == "KeyError: 'label'"
    assert gist(ValueError()) == "ValueError: it gave no message"
