"""A run that SIGTERM ends. SIGINT does the same, where the caller does not ignore it for all it starts."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def test_what_there_is_up_to_an_interruption_is_reported(dates_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "run", "-c", str(dates_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        line = next(line for line in run.stdout if "ExampleGen" in line)
        run.send_signal(signal.SIGTERM)
        _, errors = run.communicate(timeout=120)
    assert (run.returncode, "done" in line) == (143, True), errors
    [report] = (tmp_path / "outputs" / "reports").glob("*/report.json")
    told = json.loads(report.read_text(encoding="utf-8"))
    assert told["failure"] == "it was interrupted; the same command goes on from there"
    names = [section["name"] for section in told["sections"]]
    assert "data" in names and "metrics" not in names
    assert "Not pushed: the run failed: it was interrupted" in (report.parent / "report.html").read_text("utf-8")
