"""What the Trainer keeps with its artifact."""

import json
from pathlib import Path

from components.trainer import Executor, Trainer, findings


def test_what_a_person_should_hear_of_a_training(tmp_path: Path):
    what = "at step 14 the loss is nan and the gradient norm nan, at a learning rate of 0.001"
    told = {"too_long": ["2 of 9 texts of target are longer"], "divergences": [{"what": what, "action": "skip_step"}]}
    (tmp_path / "training.json").write_text(json.dumps(told), encoding="utf-8")
    found = findings(tmp_path)
    assert found.page == "training.json" and found.metrics == {} and found.shortfalls == []
    assert found.warnings == ["2 of 9 texts of target are longer", f"the training diverged: {what} (skip_step)"]


def test_the_stage_runs_it():
    assert Trainer.EXECUTOR_SPEC.executor_class is Executor
