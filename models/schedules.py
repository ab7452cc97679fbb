"""Learning rates that rise during a warm-up and then fall."""

from typing import Any

import keras
from keras import ops


class WarmUpSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Linear rise to `learning_rate` over `warmup_steps`, then one of five courses.

    constant; linear or cosine to zero at `total_steps`; inverse_sqrt, learning_rate * sqrt(warmup / step) (Vaswani et
    al., 2017, eq. 3, with the peak given directly); halving, constant up to `decay_start_step`, halved there and again
    every `decay_steps` (Wu et al., 2016, section 8.3; we differ in keeping one optimizer throughout, where the paper
    goes from Adam to plain gradient descent).

    Args:
        course: "constant", "linear", "cosine", "inverse_sqrt" or "halving".
        learning_rate: the peak.
        warmup_steps: steps of the rise.
        total_steps: steps of the whole training.
        decay_start_step: of "halving": the step of the first.
        decay_steps: of "halving": steps from one to the next.
    """

    def __init__(
        self,
        course: str,
        learning_rate: float,
        warmup_steps: int,
        total_steps: int,
        decay_start_step: int = 0,
        decay_steps: int = 1,
    ):
        self.course = course
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps
        self.decay_start_step = decay_start_step
        self.decay_steps = decay_steps

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """The learning rate, float32 scalar, of a step counted from 0."""
        step = ops.cast(step, "float32")
        warmup = ops.cast(max(self.warmup_steps, 1), "float32")
        done = ops.clip((step - warmup) / max(self.total_steps - self.warmup_steps, 1), 0.0, 1.0)
        halvings = ops.floor((step - self.decay_start_step) / self.decay_steps) + 1
        factor = {
            "constant": lambda: ops.ones_like(step),
            "linear": lambda: 1 - done,
            "cosine": lambda: 0.5 * (1 + ops.cos(3.141592653589793 * done)),
            "inverse_sqrt": lambda: ops.sqrt(warmup / ops.maximum(step, warmup)),
            "halving": lambda: ops.power(0.5, ops.maximum(halvings, 0.0)),
        }[self.course]()
        rise = ops.minimum((step + 1) / warmup, 1.0) if self.warmup_steps else ops.ones_like(step)
        return self.learning_rate * rise * factor

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal schedule."""
        names = "course", "learning_rate", "warmup_steps", "total_steps", "decay_start_step", "decay_steps"
        return {name: getattr(self, name) for name in names}
