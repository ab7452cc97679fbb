"""A training whose loss is no number: it stops, leaves the step out, or goes back."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from models import training as training_module
from models.checkpointing import Checkpointing
from models.divergence import Divergence
from models.errors import SeqlineError
from models.export import export
from models.guarded_optimizers import BLOCK
from models.tasks import text_classification
from models.training import build_model, run_fn, train
from tests.models.test_training import TWO_DEVICES, fn_args, prepared

RISING = [
    {"learning_rate": 1e30, "clip_norm": None},
    {"learning_rate": 1e30},
    {"learning_rate": 1e30, "precision": "mixed_bfloat16"},
    {"learning_rate": 1e9, "optimizer": "adamw", "weight_decay": 10.0},
    {"learning_rate": 3e6},
]


@pytest.mark.parametrize("settings", RISING, ids=str)
def test_a_training_that_diverges_stops_and_exports_nothing(tmp_path, settings):
    with pytest.raises(SeqlineError, match="diverged: at step .* the loss is") as caught:
        run_fn(fn_args(tmp_path, str(tmp_path / "checkpoints"), **settings))
    text = str(caught.value)
    assert f"at a learning rate of {settings['learning_rate']:.4g}" in text
    assert "gradient norm" in text and "Lower training.learning_rate" in text and "training.on_divergence" in text
    assert ("set training.clip_norm" in text) == (settings.get("clip_norm", 1.0) is None)
    assert ("training.precision: float32" in text) == ("precision" in settings)
    assert not (tmp_path / "model").exists()


def breaks_at(step: int, monkeypatch) -> None:
    """Makes the losses of the batch of a step infinite, once in the whole stream of batches."""

    class Breaking(text_classification.TextClassification):
        def batches(self, *arguments):
            numbered = super().batches(*arguments).enumerate(1)

            def broken(number, batch):
                *rest, weights = batch
                return (*rest, tf.where(number == step, np.float32(np.inf), weights))

            return numbered.map(broken)

    monkeypatch.setattr(text_classification, "CODE", Breaking)
    # The held-out batches are counted from one, too, and are to stay as they are.
    whole = training_module.evaluation_batches
    plain = text_classification.TextClassification
    monkeypatch.setattr(training_module, "evaluation_batches", lambda task, *rest: whole(plain(task.task), *rest))


@pytest.mark.parametrize("action", ["skip_step", "restore_last"])
def test_a_step_is_left_out_or_the_training_goes_back(tmp_path, monkeypatch, action):
    breaks_at(14, monkeypatch)
    arguments = prepared(tmp_path, on_divergence=action, checkpoint_steps=4)
    model, state = train(*arguments, str(tmp_path / "checkpoints"), str(tmp_path / "logs"))
    assert (state.step, state.divergences) == (30, 1)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    told = json.loads((tmp_path / "logs" / "training.json").read_text(encoding="utf-8"))
    [one] = told["divergences"]
    assert (one["step"], one["action"]) == (14, action) and one["what"].startswith("at step 14 the loss is nan")
    assert sum(row is None for row in told["steps"]["loss"]) == 0


@pytest.mark.parametrize("action", ["skip_step", "restore_last"])
def test_an_epoch_whose_validation_is_no_number_is_never_the_best(tmp_path, monkeypatch, action):
    real = Checkpointing.on_epoch_end

    def seen(self, epoch, logs=None):
        # By a figure that says nothing of the loss.
        real(self, epoch, {**logs, "val_accuracy": 1.0 if epoch == 0 else 0.5})

    def broken(self, epoch, logs=None):
        ended(self, epoch, {**logs, "val_loss": np.nan if epoch == 0 else logs["val_loss"]})

    ended = Divergence.on_epoch_end
    monkeypatch.setattr(Checkpointing, "on_epoch_end", seen)
    monkeypatch.setattr(Divergence, "on_epoch_end", broken)
    monkeypatch.setattr(text_classification.TextClassification, "best_by", "val_accuracy")
    monkeypatch.setattr(text_classification.TextClassification, "greater_is_better", True)
    _, state = train(*prepared(tmp_path, on_divergence=action, epochs=2), str(tmp_path / "state"))
    assert (state.best_epoch, state.divergences) == (2, 1)


def test_going_back_begins_at_the_saved_weights(tmp_path, monkeypatch):
    """What comes after is as if the batches since the saved state had never been."""
    # Saved at 12; told at 16, before that state is saved; the steps 13 to 16 are passed over.
    breaks_at(14, monkeypatch)
    arguments = prepared(tmp_path, on_divergence="restore_last", checkpoint_steps=4, epochs=2)
    arguments[0].model.__dict__["dropout"] = 0.0
    seen = {}

    class Look(training_module.Progress):
        def on_train_batch_end(self, batch, logs=None):
            seen[self.checkpointing.state.step] = self.model.get_weights()

    monkeypatch.setattr(training_module, "Progress", Look)
    train(*arguments, str(tmp_path / "checkpoints"))
    for one, other in zip(seen[12], seen[16], strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(one, other) for one, other in zip(seen[13], seen[12], strict=True))
    for one, other in zip(seen[14], seen[15], strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(one, other) for one, other in zip(seen[17], seen[16], strict=True))


@pytest.mark.parametrize("action", ["skip_step", "restore_last"])
def test_it_has_a_bound(tmp_path, action):
    arguments = prepared(tmp_path, learning_rate=1e30, on_divergence=action, max_divergences=2, checkpoint_steps=4)
    with pytest.raises(SeqlineError, match="training.max_divergences allows 2"):
        train(*arguments, str(tmp_path / "checkpoints"))


def test_no_state_is_saved_after_a_step_that_is_no_number(tmp_path, monkeypatch):
    breaks_at(9, monkeypatch)
    arguments = prepared(tmp_path, checkpoint_steps=3)
    for _ in range(2):
        with pytest.raises(SeqlineError, match="at step 9 "):
            train(*arguments, str(tmp_path / "checkpoints"))
    with np.load(tmp_path / "checkpoints" / "state.npz") as saved:
        assert json.loads(str(saved["state"]))["step"] == 6
        assert BLOCK > 3


def test_a_weight_that_is_no_number_is_not_exported(tmp_path):
    settings, vocabularies, *_ = prepared(tmp_path)
    model = build_model(settings, vocabularies)
    weight = model.trainable_variables[0]
    value = weight.numpy()
    value[1, 1] = np.inf
    weight.assign(value)
    with pytest.raises(SeqlineError, match="only where all its weights are finite numbers. Received: .*embedding"):
        export(model, settings, vocabularies, str(tmp_path / "model"), {"code_version": "", "metrics": {}})
    assert not (tmp_path / "model").exists()
    keras.backend.clear_session()


ON_TWO_DEVICES = (
    TWO_DEVICES
    + """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import keras, numpy as np
from models.guarded_optimizers import GuardedAdam
devices = [device.name for device in tf.config.list_logical_devices("CPU")]
with tf.distribute.MirroredStrategy(devices).scope():
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile(GuardedAdam(0.1, 1.0, halts=False), loss="mse", jit_compile=False)
# The seventh row of the third batch of eight: on the second device alone.
inputs = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
inputs[8 * 2 + 6] = np.nan
model.fit(tf.data.Dataset.from_tensor_slices((inputs, np.ones((40, 2)))).batch(8), verbose=0)
optimizer = model.optimizer
print(optimizer.divergences.numpy(), int(optimizer.unsound.numpy()[-1]), optimizer.iterations.numpy())
print(bool(np.isfinite(model.get_weights()[0]).all()))
"""
)


@pytest.mark.e2e
def test_what_one_of_two_devices_sees_concerns_both():
    code = ON_TWO_DEVICES.format(root=os.getcwd())
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["1", "2", "5", "True"]
