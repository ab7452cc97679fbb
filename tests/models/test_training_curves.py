"""What is told of a training, and that it is what happened."""

import json
import logging

import numpy as np
import pytest

from models import training_curves
from models.checkpointing import Checkpointing
from models.divergence import Step
from models.training import train
from models.training_curves import Window, window_of
from tests.models.test_training import Interrupt, prepared


def curves_of(folder):
    return json.loads((folder / "training.json").read_text(encoding="utf-8"))


def test_epochs_and_steps_are_told(tmp_path, caplog):
    arguments = prepared(tmp_path, schedule="linear", warmup_steps=5, clip_norm=0.3)
    with caplog.at_level(logging.INFO, "seqline.progress"):
        _, state = train(*arguments, str(tmp_path / "checkpoints"), str(tmp_path / "logs"))
    told = curves_of(tmp_path / "logs")
    assert [(row["epoch"], row["step"]) for row in told["epochs"]] == [(1, 10), (2, 20), (3, 30)]
    assert told["steps"]["step"] == [10, 20, 30]
    best = told["epochs"][state.best_epoch - 1]
    assert best["val_loss"] == state.best_metrics["val_loss"] and best["accuracy"] == state.best_metrics["accuracy"]
    for row in told["epochs"]:
        assert 0 < row["gradient_norm"] <= row["greatest_gradient_norm"]
        assert 0 < row["clipped_share"] <= 1
        assert row["tokens_per_second"] > 0
        assert 0 < row["seconds"] < 600
    peaks = [row["memory_megabytes"] for row in told["epochs"]]
    # TensorFlow alone takes some hundred MB.
    assert peaks == sorted(peaks) and 200 < peaks[-1] < 100_000
    # Ten steps an epoch: the mean of the losses of its steps is the epoch's running loss.
    np.testing.assert_allclose(told["steps"]["loss"], [row["loss"] for row in told["epochs"]], rtol=1e-3)
    # Of step 30, counted from 1: falling from 1e-3 at step 5 to 0 at step 30, counted from 0.
    assert told["epochs"][-1]["learning_rate"] == pytest.approx(1e-3 * (1 - 24 / 25), rel=1e-3)
    last = caplog.records[-1].progress["fields"]
    assert {"gradient_norm", "clipped_share", "tokens_per_second"} <= last.keys()
    assert list((tmp_path / "logs" / "steps").glob("events.*"))


def test_a_resumed_training_has_the_curves_of_an_undisturbed_one(tmp_path, monkeypatch):
    arguments = prepared(tmp_path, checkpoint_steps=1)
    train(*arguments, str(tmp_path / "one"), str(tmp_path / "undisturbed"))
    real_save = Checkpointing.save

    def save_then_stop(self):
        real_save(self)
        if self.state.step == 16:
            raise Interrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointing, "save", save_then_stop)
        with pytest.raises(Interrupt):
            train(*arguments, str(tmp_path / "two"))
    train(*arguments, str(tmp_path / "two"), str(tmp_path / "resumed"))
    for part in ("steps", "epochs"):
        one, other = (curves_of(tmp_path / name)[part] for name in ("undisturbed", "resumed"))
        for name in ("step", "gradient_norm", "clipped_share", "learning_rate"):
            column, again = ([row[name] for row in rows] if part == "epochs" else rows[name] for rows in (one, other))
            np.testing.assert_allclose(column, again, rtol=1e-4)


def test_a_training_that_ended_before_a_kill_leaves_its_curves_again(tmp_path):
    arguments = prepared(tmp_path)
    train(*arguments, str(tmp_path / "state"), str(tmp_path / "first"))
    train(*arguments, str(tmp_path / "state"), str(tmp_path / "second"))
    assert curves_of(tmp_path / "first") == curves_of(tmp_path / "second")


def test_figures_of_steps_by_hand():
    steps = [Step(1, 4.0, 2.0, 1.0, 0.1), Step(2, np.nan, 9.0, 1.0, 0.2), Step(3, 2.0, 6.0, 0.0, 0.3)]
    assert window_of(steps, 0.5).figures(tokens_per_step=10) == {
        "loss": 3.0,
        "gradient_norm": 4.0,
        "greatest_gradient_norm": 6.0,
        "clipped_share": 0.5,
        "learning_rate": 0.3,
        "tokens_per_second": 60.0,
    }
    assert window_of(steps[1:2], 1.0).figures(1.0)["loss"] is None


def test_a_long_training_keeps_few_windows(monkeypatch):
    monkeypatch.setattr(training_curves, "_MOST_WINDOWS", 4)
    curves = {"window": 10, "windows": []}
    for last in range(10, 401, 10):
        training_curves._append(curves, Window(last, 10, 10, loss=10.0 * last))
    windows = [Window(*row) for row in curves["windows"]]
    assert len(windows) <= 4 and windows[-1].step == 400
    assert sum(window.steps for window in windows) == 400
    assert sum(window.loss for window in windows) == sum(10.0 * last for last in range(10, 401, 10))
