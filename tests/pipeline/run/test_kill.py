"""A run that is killed in the middle of training, and the same command again."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.e2e
SETTINGS = ("--set", "training.epochs=60", "--set", "training.checkpoint_steps=5")


def test_killed_run_resumes_where_it_was(dates_file: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "run", "-c", str(dates_file), *SETTINGS]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "outputs/checkpoints").glob("*/state.npz")):
        assert killed.poll() is None and time.monotonic() < deadline, "training never saved a state"
        time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    [state_file] = (tmp_path / "outputs/checkpoints").glob("*/state.npz")
    with np.load(state_file) as saved:
        saved_step = json.loads(str(saved["state"]))["step"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Transform +cached", done.stdout)
    [step] = re.findall(r"Trainer: \d+/180  resumed_at (\d+)", done.stdout)
    assert int(step) == saved_step > 0
    assert not list((tmp_path / "outputs/checkpoints").glob("*"))
