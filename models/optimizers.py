"""The optimizers of `training.optimizer`, by name."""

import keras

from models.adagrad import GuardedAdagrad
from models.guarded_optimizers import GuardedAdam, GuardedAdamW
from models.lazy_adam import GuardedLazyAdam
from models.schedules import WarmUpSchedule
from models.training_settings import TrainingSettings

# For each its class, and the settings that it alone takes.
OPTIMIZERS: dict[str, tuple[type[keras.optimizers.Optimizer], tuple[str, ...]]] = {
    "adam": (GuardedAdam, ()),
    "adamw": (GuardedAdamW, ("weight_decay",)),
    "lazy_adam": (GuardedLazyAdam, ()),
    "adagrad": (GuardedAdagrad, ()),
}


def optimizer_of(training: TrainingSettings, total_steps: int) -> keras.optimizers.Optimizer:
    """The configured optimizer, with its schedule over so many steps."""
    schedule = WarmUpSchedule(
        training.schedule,
        training.learning_rate,
        training.warmup_steps,
        total_steps,
        training.decay_start_step,
        training.decay_steps,
    )
    optimizer, own = OPTIMIZERS[training.optimizer]
    halts = training.on_divergence != "skip_step"
    arguments = {name: getattr(training, name) for name in own}
    if training.gradient_accumulation_steps > 1:
        arguments["gradient_accumulation_steps"] = training.gradient_accumulation_steps
    return optimizer(schedule, training.clip_norm, halts, **arguments)
