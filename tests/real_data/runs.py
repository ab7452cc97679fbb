"""Runs of the ready configurations on the real data they were made for, with models shrunk to a minute each.

The figures of the full runs stand in docs/results.md.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEQLINE_DATA") or ROOT.parent / "shared" / "data").resolve()

marks = [
    pytest.mark.real_data,
    pytest.mark.e2e,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data in {DATA}; SEQLINE_DATA names its folder"),
]

SMALL = ("training.epochs=1", "model.hidden_dim=32", "evaluation.thresholds={}")
SMALL_TEXT = (*SMALL, "model.embedding_dim=32", "model.dropout=0.0")


def metrics_of_a_run(config: str, output_dir: Path, *overrides: str) -> dict[str, float]:
    """Runs a configuration with overrides; returns the metrics that `seqline runs` tells of it."""
    environment = os.environ | {"SEQLINE_DATA": str(DATA)}
    settings = ["-c", str(ROOT / "configs" / config)]
    for override in (*overrides, f"output_dir={output_dir}"):
        settings += ["--set", override]

    def seqline(*arguments: str) -> str:
        command = [sys.executable, "-m", "pipeline", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    seqline("run", *settings)
    [run] = json.loads(seqline("runs", "--json", *settings))
    assert run["blessed"] and run["pushed_version"]
    return run["metrics"]
