"""Training as a whole: a killed run resumes as if nothing had happened; early stopping; devices; a full disk."""

import json
import os
import signal
import subprocess
import sys
import time
import types

import numpy as np
import pytest

from models.checkpointing import Checkpointing
from models.errors import SeqlineError
from models.input_pipeline import read_examples
from models.registry import TASKS
from models.training import run_fn, train
from tests.models.architectures.test_recurrent import rows
from tests.models.conftest import learn, run_settings, write_transformed

MODEL = {"architecture": "recurrent", "embedding_dim": 4, "hidden_dim": 4, "num_layers": 1, "dropout": 0.3}


def prepared(tmp_path, **training):
    settings = run_settings("text_classification", MODEL, training={"batch_size": 16, "epochs": 3} | training)
    train_rows, eval_rows = rows(160, 1), rows(40, 2)
    vocabularies = learn(train_rows, settings)
    parts = ((train_rows, "train.gz"), (eval_rows, "eval.gz"))
    files = [write_transformed(part, settings, vocabularies, tmp_path / name) for part, name in parts]
    return settings, vocabularies, files[:1], files[1:]


class Interrupt(Exception):
    pass


@pytest.mark.parametrize(
    ("interrupted_at", "training"),
    [
        (7, {"gradient_accumulation_steps": 3}),
        (10, {"optimizer": "adam"}),
        (16, {"optimizer": "lazy_adam"}),
        (7, {"optimizer": "adagrad"}),
    ],
)
def test_resumed_run_ends_with_the_weights_of_an_undisturbed_one(tmp_path, monkeypatch, interrupted_at, training):
    """In the middle of an epoch (10 steps each) and of a change of the weights, at its end, and later; dropout draws
    the same numbers."""
    arguments = prepared(tmp_path, checkpoint_steps=1, **training)
    undisturbed, _ = train(*arguments, str(tmp_path / "one"))

    real_save = Checkpointing.save

    def save_then_stop(self):
        real_save(self)
        if self.state.step == interrupted_at:
            raise Interrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpointing, "save", save_then_stop)
        with pytest.raises(Interrupt):
            train(*arguments, str(tmp_path / "two"))
    resumed, state = train(*arguments, str(tmp_path / "two"))
    assert state.step == 30
    for one, other in zip(undisturbed.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_training_that_is_over_is_not_repeated(tmp_path):
    arguments = prepared(tmp_path)
    first, _ = train(*arguments, str(tmp_path / "checkpoints"))
    again, state = train(*arguments, str(tmp_path / "checkpoints"))
    assert state.step == 30
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_early_stopping_exports_the_best_weights(tmp_path):
    # A learning rate far too high: the loss soon rises.
    arguments = prepared(tmp_path, epochs=30, learning_rate=1.0, early_stopping_patience=2)
    model, state = train(*arguments, str(tmp_path / "checkpoints"))
    assert state.stopped
    assert state.step == (state.best_epoch + 2) * 10
    with np.load(tmp_path / "checkpoints" / "state.npz") as saved:
        np.testing.assert_array_equal(model.get_weights()[0], saved["best_0"])


def test_the_mean_of_the_last_epochs_is_exported_and_judged_also_after_a_kill(tmp_path, monkeypatch):
    """A training that is cut short in its third epoch, and killed at the end of its second."""
    arguments = prepared(tmp_path, max_steps=25, average_last=2, early_stopping_patience=0)
    ends, real_save = [], Checkpointing.save

    def save_then_stop(self):
        real_save(self)
        ends.append(self.model.get_weights())
        if self.state.step == 20:
            raise Interrupt

    monkeypatch.setattr(Checkpointing, "save", save_then_stop)
    with pytest.raises(Interrupt):
        train(*arguments, str(tmp_path / "checkpoints"))
    model, state = train(*arguments, str(tmp_path / "checkpoints"))
    assert state.step == 25
    assert len(ends) == 3
    for weight, *last in zip(model.get_weights(), *ends[1:], strict=True):
        np.testing.assert_allclose(weight, np.mean(last, axis=0), atol=1e-6)
    settings, vocabularies, _, eval_files = arguments
    held_out = read_examples(eval_files, TASKS["text_classification"].code(), settings, str(tmp_path / "held_out"))
    accuracy = np.mean(
        [np.argmax(model(token_ids[np.newaxis])[0]) == label for token_ids, label, _ in held_out.as_numpy_iterator()]
    )
    assert state.best_metrics["val_accuracy"] == pytest.approx(accuracy)


def fn_args(tmp_path, checkpoint_dir: str, **training) -> types.SimpleNamespace:
    """What TFX hands to `run_fn`."""
    settings, vocabularies, train_files, eval_files = prepared(tmp_path, **training)
    vocabularies.save(str(tmp_path / "graph" / "vocabularies"))
    config = {"settings": settings.model_dump_json(), "task_facts": "", "code_hash": "0"}
    return types.SimpleNamespace(
        custom_config=config | {"checkpoint_dir": checkpoint_dir},
        transform_graph_path=str(tmp_path / "graph"),
        train_files=train_files,
        eval_files=eval_files,
        serving_model_dir=str(tmp_path / "model"),
        model_run_dir=str(tmp_path / "logs"),
    )


def test_run_fn_exports_logs_and_clears_its_checkpoint(tmp_path):
    run_fn(fn_args(tmp_path, str(tmp_path / "checkpoints"), epochs=1))
    described = json.loads((tmp_path / "model" / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
    assert described["task"] == "text_classification"
    assert described["labels"] == ["no", "yes"]
    assert described["metrics"]["best_epoch"] == 1
    assert list((tmp_path / "logs").rglob("events.*"))
    assert not list((tmp_path / "checkpoints").iterdir())


def test_full_disk_says_so_and_leaves_no_broken_state(tmp_path):
    """A real small file system; needs the right to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        arguments = fn_args(tmp_path, str(disk), checkpoint_steps=1)
        (disk / "filler").write_bytes(b"x" * 190_000)
        with pytest.raises(SeqlineError, match="The disk is full"):
            run_fn(arguments)
        assert not list(disk.rglob("*.partial"))
        (disk / "filler").unlink()
        run_fn(arguments)
    finally:
        subprocess.run(["umount", disk], check=True)


KILLED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from models.training import train
from tests.models.test_training import prepared
tmp_path = Path({tmp_path!r})
{setup}
train(*prepared(tmp_path, epochs=400, checkpoint_steps=5, early_stopping_patience=0), str(tmp_path / "checkpoints"))
"""


@pytest.mark.e2e
def test_killed_process_resumes_where_it_was(tmp_path):
    code = KILLED.format(root=os.getcwd(), tmp_path=str(tmp_path), setup="")
    process = subprocess.Popen([sys.executable, "-c", code])
    state_file = tmp_path / "checkpoints" / "state.npz"
    deadline = time.monotonic() + 120
    while not state_file.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with np.load(state_file) as saved:
        step = json.loads(str(saved["state"]))["step"]
    assert 0 < step < 4000
    arguments = prepared(tmp_path, epochs=400, checkpoint_steps=5, early_stopping_patience=1)
    _, state = train(*arguments, str(tmp_path / "checkpoints"))
    assert step < state.step


TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""


@pytest.mark.e2e
@pytest.mark.parametrize("optimizer", ["adam", "lazy_adam", "adagrad"])
def test_two_devices_train_the_same_model(tmp_path, optimizer):
    """Two logical processors stand for two GPUs: the global batch is shared out, the result is that of one device."""
    arguments = prepared(tmp_path, epochs=1, optimizer=optimizer)
    settings = arguments[0].model_copy(update={"model": arguments[0].model.model_copy(update={"dropout": 0.0})})
    model, _ = train(settings, *arguments[1:], str(tmp_path / "one"))
    code = (
        TWO_DEVICES
        + f"""
import sys
sys.path.insert(0, {os.getcwd()!r})
from pathlib import Path
import numpy as np
from models.training import distribution_strategy, train
from tests.models.test_training import prepared
settings, *rest = prepared(Path({str(tmp_path)!r}), epochs=1, optimizer={optimizer!r})
settings = settings.model_copy(update={{"model": settings.model.model_copy(update={{"dropout": 0.0}})}})
model, _ = train(settings, *rest, {str(tmp_path / "two")!r})
print(distribution_strategy().num_replicas_in_sync)
np.savez({str(tmp_path / "weights.npz")!r}, *model.get_weights())
"""
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "2"
    with np.load(tmp_path / "weights.npz") as weights:
        for index, weight in enumerate(model.get_weights()):
            np.testing.assert_allclose(weights[f"arr_{index}"], weight, atol=1e-4)
