"""What happens when a training diverges: a loss, or a gradient, that is no number or has exploded.

The optimizer (`models.guarded_optimizers`) has kept the step from the weights. Here it is told, and the training stops,
goes on without that step, or goes back to the last saved state and on with the batches that come next, as Chowdhery et
al. (2022, section 5.1) do. Unlike them we pass over no more batches than those since that state.
"""

import dataclasses
import math
from typing import Any

import keras
import numpy as np

from models.checkpointing import Checkpointing
from models.errors import SeqlineError
from models.guarded_optimizers import BLOCK, EXPLODED, FIGURES, exploded_loss
from models.progress import tell
from models.training_settings import TrainingSettings

# Variables of the optimizer that a return to a saved state leaves as they are.
_KEPT = frozenset({"iteration", "recent", "unsound", "first_loss", "divergences"})
_WHAT_FOLLOWS = {
    "skip_step": "the step is left out",
    "restore_last": "the training goes on from the last saved state",
}


@dataclasses.dataclass(frozen=True)
class Step:
    """Figures of a step, as the optimizer keeps them.

    Attributes:
        step: counted from 1.
        loss: of the batch.
        gradient_norm: global norm, before clipping.
        clipped: 1.0 where the gradients were scaled down, else 0.0.
        learning_rate: of the step.
    """

    step: int
    loss: float
    gradient_norm: float
    clipped: float
    learning_rate: float


def recent_steps(optimizer: Any, after: int, last: int) -> list[Step]:
    """The steps `after` + 1 to `last`, of which the optimizer has those of the last block."""
    rows = np.asarray(optimizer.recent)
    return [
        Step(number, *map(float, rows[(number - 1) % BLOCK]))
        for number in range(max(after, last - BLOCK) + 1, last + 1)
    ]


class Divergence(keras.callbacks.Callback):
    """Looks every `BLOCK` steps, before a state is saved and at the end of each epoch; stands before `Checkpointing`.

    Args:
        checkpointing: knows the step and has the saved states.
        settings: what to do, how often, and what a user can change.
    """

    def __init__(self, checkpointing: Checkpointing, settings: TrainingSettings):
        super().__init__()
        self.checkpointing = checkpointing
        self.settings = settings

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """The fresh weights are the first state to which a training can go back."""
        if self.settings.on_divergence == "restore_last" and not self.checkpointing.file.exists():
            self.checkpointing.save()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Looks now and then: reading from a device makes it wait."""
        step = self.checkpointing.state.step + 1
        if step % BLOCK == 0 or step % self.checkpointing.checkpoint_steps == 0:
            self._look()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Looks, also at the validation; an epoch whose weights are gone, or no good, is never the best one."""
        seen = self.checkpointing.state.divergences
        self._look()
        went_back = self.settings.on_divergence == "restore_last" and self.checkpointing.state.divergences > seen
        loss = float((logs or {}).get("val_loss", math.nan))
        if not loss <= float(exploded_loss(np.asarray(self.model.optimizer.first_loss))):
            self.model.optimizer.divergences.assign_add(1)
            went_back = True
            self._handle(f"after step {self.checkpointing.state.step} the validation loss is {loss:.4g}", {})
        self.checkpointing.passes_over = went_back

    def _look(self) -> None:
        optimizer, state = self.model.optimizer, self.checkpointing.state
        if int(np.asarray(optimizer.divergences)) == state.divergences:
            return
        *figures, step = map(float, np.asarray(optimizer.unsound))
        found = dict(zip(FIGURES, figures, strict=True)) | {"step": int(step) + 1}
        self._handle(
            f"at step {int(step) + 1} the loss is {found['loss']:.4g} and the gradient norm "
            f"{found['gradient_norm']:.4g}, at a learning rate of {found['learning_rate']:.4g}",
            {name: value for name, value in found.items() if math.isfinite(value)},
        )

    def _handle(self, what: str, figures: dict[str, float]) -> None:
        state, total = self.checkpointing.state, int(np.asarray(self.model.optimizer.divergences))
        if self.settings.on_divergence == "stop" or total > self.settings.max_divergences:
            raise SeqlineError(f"The training diverged: {what}. {self._bound(total)}{ways_out(self.settings)}")
        state.divergences = total
        follows = _WHAT_FOLLOWS[self.settings.on_divergence]
        state.divergence_log.append({"what": what, "action": self.settings.on_divergence} | figures)
        fields = {"diverged": total, "allowed": self.settings.max_divergences}
        tell(f"the training diverged ({what}); {follows}", state.step, 0, fields, notable=True)
        if self.settings.on_divergence == "restore_last":
            self._go_back()

    def _bound(self, total: int) -> str:
        if self.settings.on_divergence == "stop":
            return f"A loss counts as diverged where it is no finite number or {EXPLODED:.0f} times the first one. "
        return f"That is time {total}; training.max_divergences allows {self.settings.max_divergences}. "

    def _go_back(self) -> None:
        self.checkpointing.load_variables(but=_KEPT)
        self.model.optimizer.halted.assign(0)


def ways_out(settings: TrainingSettings) -> str:
    """What a user can change."""
    clip = f"lower training.clip_norm (now {settings.clip_norm:g})" if settings.clip_norm else "set training.clip_norm"
    ways = [f"Lower training.learning_rate (now {settings.learning_rate:g})", clip]
    if settings.precision != "float32":
        ways.append(f"set training.precision: float32 (now {settings.precision})")
    if settings.on_divergence == "stop":
        ways.append("let training.on_divergence skip_step or restore_last")
    return ", ".join(ways[:-1]) + f", or {ways[-1]}."


def check_ended(checkpointing: Checkpointing, settings: TrainingSettings) -> None:
    """Refuses a training without an epoch whose validation loss is a number.

    Raises:
        SeqlineError: there is none, so there are no best weights.
    """
    if checkpointing.state.best_epoch == 0:
        raise SeqlineError(
            f"The training has no epoch whose validation loss is a number, so no weights are worth keeping. "
            f"{ways_out(settings)}"
        )
