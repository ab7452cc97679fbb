"""A program in a process of its own, waited for and ended."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.server_process import ServerNotUpError, server_process

SERVER = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda number, frame: (print("told to stop", flush=True), sys.exit(0)))
print("up", flush=True)
time.sleep(60)
"""


def run(folder: Path, program: str, is_available: Callable[[], bool], seconds: float = 20.0) -> str:
    log = folder / "log"
    with server_process([sys.executable, "-c", program], log, is_available, seconds, seconds_to_stop=20.0):
        assert "up" in log.read_text()
    return log.read_text()


def test_it_is_there_while_it_is_needed_and_then_ends(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("before\n")
    assert run(tmp_path, SERVER, lambda: "up" in log.read_text()) == "before\nup\ntold to stop\n"


def test_one_that_ends_by_itself_is_told_with_its_status(tmp_path: Path):
    with pytest.raises(ServerNotUpError) as caught:
        run(tmp_path, "raise SystemExit(7)", lambda: False)
    assert caught.value.status == 7


def test_one_that_takes_too_long_is_ended(tmp_path: Path):
    log = tmp_path / "log"
    with pytest.raises(ServerNotUpError) as caught:
        run(tmp_path, SERVER, lambda: False, seconds=0.0)
    assert caught.value.status is None
    assert "told to stop" in log.read_text() or "up" not in log.read_text()


def test_one_that_does_not_listen_is_killed(tmp_path: Path):
    program = (
        "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(60)"
    )
    log = tmp_path / "log"
    with server_process([sys.executable, "-c", program], log, lambda: log.read_text().endswith("\n"), 20.0, 0.2):
        os.kill(int(log.read_text()), 0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
