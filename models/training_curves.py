"""How a training went, for those who look at it later: loss, gradient norm, share of clipped steps, speed.

They come from the optimizer (`models.guarded_optimizers`), a block of steps at a time, so that no step waits for them.
"""

import json
import math
import pathlib
import resource
import time
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from models.checkpointing import Checkpointing
from models.divergence import Step, recent_steps
from models.guarded_optimizers import BLOCK

FILE = "training.json"
# Windows of steps at most; beyond them each becomes twice as long.
_MOST_WINDOWS = 1000
_STEP_LOGS = "steps"


class Window(NamedTuple):
    """Sums over some steps; those whose loss or gradient is no number count as steps alone.

    Attributes:
        step: the last one, counted from 1.
        steps: how many.
        finite: how many of them are numbers.
        loss: sum.
        gradient_norm: sum, before clipping.
        greatest_norm: greatest gradient norm.
        clipped: how many were scaled down.
        learning_rate: of the last one.
        seconds: that they took, validation left out.
    """

    step: int = 0
    steps: int = 0
    finite: int = 0
    loss: float = 0.0
    gradient_norm: float = 0.0
    greatest_norm: float = 0.0
    clipped: float = 0.0
    learning_rate: float = 0.0
    seconds: float = 0.0

    def and_then(self, later: "Window") -> "Window":
        """Both together."""
        return Window(
            step=later.step,
            steps=self.steps + later.steps,
            finite=self.finite + later.finite,
            loss=self.loss + later.loss,
            gradient_norm=self.gradient_norm + later.gradient_norm,
            greatest_norm=max(self.greatest_norm, later.greatest_norm),
            clipped=self.clipped + later.clipped,
            learning_rate=later.learning_rate,
            seconds=self.seconds + later.seconds,
        )

    def figures(self, tokens_per_step: float) -> dict[str, float | None]:
        """Means over the steps; None where no step is a number."""
        seconds = max(self.seconds, 1e-9)
        return {
            "loss": self.loss / self.finite if self.finite else None,
            "gradient_norm": self.gradient_norm / self.finite if self.finite else None,
            "greatest_gradient_norm": self.greatest_norm if self.finite else None,
            "clipped_share": self.clipped / self.finite if self.finite else None,
            "learning_rate": self.learning_rate,
            "tokens_per_second": tokens_per_step * self.steps / seconds,
        }


def window_of(steps: list[Step], seconds: float) -> Window:
    """The steps, one or more, together."""
    finite = [step for step in steps if math.isfinite(step.loss) and math.isfinite(step.gradient_norm)]
    return Window(
        step=steps[-1].step,
        steps=len(steps),
        finite=len(finite),
        loss=sum(step.loss for step in finite),
        gradient_norm=sum(step.gradient_norm for step in finite),
        greatest_norm=max((step.gradient_norm for step in finite), default=0.0),
        clipped=sum(step.clipped for step in finite),
        learning_rate=steps[-1].learning_rate,
        seconds=seconds,
    )


class TrainingCurves(keras.callbacks.Callback):
    """Collects the figures, in the training state, and writes them at the end of each epoch.

    Stands before `Checkpointing`, so that a saved state has those of its last epoch.

    Args:
        checkpointing: knows the step and keeps the figures.
        tokens_per_step: positions (tokens, frames, samples) of the longest sequence of each example of a batch, on
            average.
        log_dir: folder for `training.json` and for TensorBoard; None: they are not written.
        facts: what else is to stand in the file.
    """

    def __init__(
        self, checkpointing: Checkpointing, tokens_per_step: float, log_dir: str | None, facts: dict[str, Any]
    ):
        super().__init__()
        self.checkpointing = checkpointing
        self.tokens_per_step = tokens_per_step
        self.log_dir = log_dir
        self.facts = facts
        self.latest: dict[str, float] = {}
        self._since = self._begun = time.monotonic()
        self._writer = tf.summary.create_file_writer(f"{log_dir}/{_STEP_LOGS}") if log_dir else None

    @property
    def _curves(self) -> dict[str, Any]:
        curves = self.checkpointing.state.curves
        if not curves:
            curves.update(read=0, window=BLOCK, windows=[], epoch=list(Window()), epochs=[])
        return curves

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Starts the clocks."""
        self._since = self._begun = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Reads a block when it is full."""
        step = self.checkpointing.state.step + 1
        if step % BLOCK == 0:
            self._read(step)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Reads what is left of the epoch: validation is no training."""
        self._read(self.checkpointing.state.step)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds the epoch: all of Keras's logs, with the figures of its steps, its time and the memory so far."""
        self._read(self.checkpointing.state.step)
        figures = Window(*self._curves["epoch"]).figures(self.tokens_per_step)
        metrics = {name: _number(float(value)) for name, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, "step": self.checkpointing.state.step}
        cost = {"seconds": time.monotonic() - self._begun, **peak_memory()}
        self._curves["epochs"].append(row | _rounded(figures | cost) | metrics)
        self._curves["epoch"] = list(Window())
        self._log(figures, self.checkpointing.state.step, "epoch/")
        self._tell(figures)
        self.write()

    def write(self) -> None:
        """Writes the file, as it stands."""
        if self.log_dir:
            pathlib.Path(self.log_dir).mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.as_json(), allow_nan=False)
            (pathlib.Path(self.log_dir) / FILE).write_text(text, encoding="utf-8")

    def as_json(self) -> dict[str, Any]:
        """What stands in `training.json`: a row for each epoch, and a list for each figure of the windows of steps."""
        windows = [Window(*row) for row in self._curves["windows"]]
        rows = [{"step": window.step} | _rounded(window.figures(self.tokens_per_step)) for window in windows]
        return {
            "version": 1,
            "epochs": self._curves["epochs"],
            "steps": {name: [row[name] for row in rows] for name in (rows[0] if rows else ())},
            "divergences": self.checkpointing.state.divergence_log,
        } | self.facts

    def _read(self, step: int) -> None:
        curves = self._curves
        steps = recent_steps(self.model.optimizer, curves["read"], step)
        if not steps:
            return
        now = time.monotonic()
        window = window_of(steps, now - self._since)
        self._since, curves["read"] = now, step
        curves["epoch"] = list(Window(*curves["epoch"]).and_then(window))
        _append(curves, window)
        figures = window.figures(self.tokens_per_step)
        self._log(figures, step, "")
        self._tell(figures)

    def _tell(self, figures: dict[str, float | None]) -> None:
        shown = ("gradient_norm", "clipped_share", "tokens_per_second")
        self.latest = {name: value for name in shown if (value := figures[name]) is not None}

    def _log(self, figures: dict[str, float | None], step: int, prefix: str) -> None:
        if self._writer:
            with self._writer.as_default(step):
                for name, value in figures.items():
                    if value is not None:
                        tf.summary.scalar(f"{prefix}{name}", value)


def peak_memory() -> dict[str, float | None]:
    """The most memory so far, in MB: of the process, and where there are GPUs of the fullest one."""
    # Linux counts in KiB.
    found: dict[str, float | None] = {
        "memory_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    }
    names = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices("GPU")]
    if names:
        found["gpu_memory_megabytes"] = (
            max(tf.config.experimental.get_memory_info(name)["peak"] for name in names) / 1e6
        )
    return found


def _append(curves: dict[str, Any], window: Window) -> None:
    """Adds to the last window while it is short; halves their number where they are too many."""
    windows: list[list[Any]] = curves["windows"]
    if windows and windows[-1][1] + window.steps <= curves["window"]:
        windows[-1] = list(Window(*windows[-1]).and_then(window))
    else:
        windows.append(list(window))
    if len(windows) > _MOST_WINDOWS:
        pairs = [windows[start : start + 2] for start in range(0, len(windows), 2)]
        curves["windows"] = [
            list(Window(*pair[0]).and_then(Window(*pair[1]))) if pair[1:] else pair[0] for pair in pairs
        ]
        curves["window"] *= 2


def _rounded(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else float(f"{value:.6g}") for name, value in figures.items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
