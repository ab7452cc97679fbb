"""Saved training states: a killed run continues at the step it had saved, as if nothing had happened.

Keras's BackupAndRestore begins the epoch again and its EarlyStopping forgets what it saw; here both are one state.
"""

import dataclasses
import json
import math
import os
import pathlib
from collections.abc import Collection
from typing import Any

import keras
import numpy as np

STATE_FILE = "state.npz"


@dataclasses.dataclass
class TrainingState:
    """Where a training stands.

    Attributes:
        step: optimizer steps done.
        best_loss: lowest validation loss so far; of a figure that should be great, its negative.
        best_epoch: epoch, counted from 1, that had it.
        epochs_without_improvement: epochs since.
        stopped: whether early stopping ended the training.
        best_metrics: all logs of the best epoch.
        vectors_found: by text feature, the share of the vocabulary that began with vectors of another run.
        divergences: how often a step or a validation was no number.
        divergence_log: what is told of each.
        curves: figures so far, of `models.training_curves`.
    """

    step: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    epochs_without_improvement: int = 0
    stopped: bool = False
    best_metrics: dict[str, float] = dataclasses.field(default_factory=dict)
    vectors_found: dict[str, float] = dataclasses.field(default_factory=dict)
    divergences: int = 0
    divergence_log: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    curves: dict[str, Any] = dataclasses.field(default_factory=dict)


class Checkpointing(keras.callbacks.Callback):
    """Saves and restores weights, optimizer, random states and `TrainingState`; keeps the best weights; stops early.

    Args:
        directory: folder of the saved state, one file.
        checkpoint_steps: steps between saves; the end of an epoch is always saved.
        patience: epochs without a better validation loss that end the training; 0: never.
        best_by: figure that is compared, by default that loss.
        greater_is_better: whether the greatest one is the best.
        average_last: epochs whose weights are kept, for their mean; 0: none.
    """

    def __init__(
        self,
        directory: str,
        checkpoint_steps: int,
        patience: int,
        best_by: str = "val_loss",
        greater_is_better: bool = False,
        average_last: int = 0,
    ):
        super().__init__()
        self.file = pathlib.Path(directory) / STATE_FILE
        self.checkpoint_steps = checkpoint_steps
        self.patience = patience
        self.best_by = best_by
        self.greater_is_better = greater_is_better
        self.state = TrainingState()
        self.best_weights: list[np.ndarray] = []
        self.average_last = average_last
        self.last_weights: list[list[np.ndarray]] = []
        # Set before the end of an epoch whose validation says nothing of the weights as they are now.
        self.passes_over = False

    def restore(self, model: keras.Model) -> TrainingState:
        """Loads the saved state, if there is one, into a compiled model; returns where it stands."""
        self.set_model(model)
        model.optimizer.build(model.trainable_variables)
        if self.file.exists():
            self.load_variables()
            with np.load(self.file, allow_pickle=False) as saved:
                self.best_weights = [saved[f"best_{index}"] for index in range(int(saved["num_best"]))]
                self.last_weights = [
                    [saved[f"last_{epoch}_{index}"] for index in range(len(self.model.get_weights()))]
                    for epoch in range(int(saved["num_last"]))
                ]
                self.state = TrainingState(**json.loads(str(saved["state"])))
        return self.state

    def load_variables(self, but: Collection[str] = ()) -> None:
        """Loads what the saved state has of weights, optimizer and random states, without variables of these names."""
        with np.load(self.file, allow_pickle=False) as saved:
            for index, variable in enumerate(self._variables()):
                if variable.name not in but:
                    variable.assign(saved[f"variable_{index}"])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Counts the step."""
        self.state.step += 1
        if self.state.step % self.checkpoint_steps == 0:
            self.save()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Compares the validation with the best so far."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        loss = -metrics[self.best_by] if self.greater_is_better else metrics[self.best_by]
        if self.passes_over:
            loss, self.passes_over = math.inf, False
        elif self.average_last:
            self.last_weights = [*self.last_weights, self._weights()][-self.average_last :]
        if loss < self.state.best_loss:
            self.state.best_loss, self.state.best_epoch = loss, epoch + 1
            self.state.best_metrics = metrics
            self.state.epochs_without_improvement = 0
            self.best_weights = self._weights()
        else:
            self.state.epochs_without_improvement += 1
            if self.patience and self.state.epochs_without_improvement >= self.patience:
                self.state.stopped = True
                self.model.stop_training = True
        self.save()

    def finish(self, model: keras.Model, validation: Any) -> None:
        """Gives a trained model its best weights, or the mean of its last ones, which are judged then.

        Args:
            model: compiled.
            validation: dataset of held-out batches.
        """
        if not self.last_weights:
            model.set_weights(self.best_weights or model.get_weights())
            return
        model.set_weights([np.mean(of_epochs, axis=0) for of_epochs in zip(*self.last_weights, strict=True)])
        metrics = model.evaluate(validation, verbose=0, return_dict=True)
        self.state.best_metrics = {f"val_{name}": float(value) for name, value in metrics.items()}

    def _weights(self) -> list[np.ndarray]:
        return [np.array(weight) for weight in self.model.get_weights()]

    def save(self) -> None:
        """Writes the state beside the old one, then replaces it: a kill or a full disk leaves the old one whole."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {f"variable_{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        arrays |= {f"best_{i}": weight for i, weight in enumerate(self.best_weights)}
        arrays |= {
            f"last_{epoch}_{i}": weight
            for epoch, weights in enumerate(self.last_weights)
            for i, weight in enumerate(weights)
        }
        arrays |= {"num_last": len(self.last_weights)}
        arrays |= {"num_best": len(self.best_weights), "state": json.dumps(dataclasses.asdict(self.state))}
        partial = self.file.with_suffix(".partial")
        try:
            with partial.open("wb") as stream:
                np.savez(stream, **arrays)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(self.file)

    def _variables(self) -> list[keras.Variable]:
        metrics = {id(variable) for variable in self.model.metrics_variables}
        # Seeds of dropout are among the model's variables: a resumed run draws the same numbers.
        variables = [variable for variable in self.model.variables if id(variable) not in metrics]
        return variables + list(self.model.optimizer.variables)
