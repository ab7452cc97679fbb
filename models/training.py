"""Trains a model and exports it: the entry of the Trainer stage.

TFX calls `run_fn`; a notebook calls `train` and `models.export.export`.
"""

import contextlib
import errno
import hashlib
import json
import pathlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from models.bodies import save_bodies
from models.checkpointing import Checkpointing, TrainingState
from models.divergence import Divergence, check_ended
from models.errors import SeqlineError
from models.export import describe, export
from models.input_pipeline import Batches, evaluation_batches, measure, read_examples, training_batches
from models.layer_rates import LayerRates, layers_below
from models.left_files import BODIES_FOLDER, VOCABULARIES_FOLDER
from models.memory import keep_freed_memory
from models.old_states import note_origin, remove_old_states
from models.optimizers import optimizer_of
from models.pretrained import begin_from, freeze
from models.progress import tell
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tasks.code import TaskCode
from models.tokenizers.vocabularies import Vocabularies
from models.too_long import count_too_long, limits_of
from models.training_curves import TrainingCurves
from models.training_settings import TrainingSettings
from models.words.transfer import transfer

OTHER_VECTORS, START = FROM_OTHER_RUNS = ("other_vectors", "start")
# Of a folder that nobody else makes.
_SCRATCH = ".seqline-scratch-"


def run_fn(fn_args: Any) -> None:
    """Trains on transformed examples, exports the SavedModel, and keeps what other runs may begin from.

    Args:
        fn_args: TFX's FnArgs. `custom_config` holds `settings` (JSON of `RunSettings`), `task_facts`, `code_hash`,
            `checkpoint_dir`, if wanted `too_long`, as `train` takes it, and, where tokens begin with vectors of another
            run, under `OTHER_VECTORS` their path, under `START` that of what a run has left with whose encoder the
            model begins, and `fingerprint` of both; the vocabularies stand in the folder `vocabularies` of the
            transform graph.

    Raises:
        SeqlineError: the disk is full, or the model cannot be exported.
    """
    config = fn_args.custom_config
    settings = RunSettings.model_validate_json(config["settings"])
    vocabularies = Vocabularies.load(f"{fn_args.transform_graph_path}/vocabularies")
    train_files, eval_files = (_expand(patterns) for patterns in (fn_args.train_files, fn_args.eval_files))
    other_vectors, start, fingerprint = (config.get(key, "") for key in (*FROM_OTHER_RUNS, "fingerprint"))
    too_long = config.get("too_long", {})
    identity = "".join(
        [
            *(config[key] for key in ("settings", "task_facts", "code_hash")),
            fingerprint,
            json.dumps(too_long),
            *train_files,
        ]
    )
    checkpoint_dir = f"{config['checkpoint_dir']}/{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    # What a killed training left beside its state is as large as the data.
    for leftover in pathlib.Path(config["checkpoint_dir"]).glob(f"*/{_SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    origin = {"task": settings.task, "architecture": settings.model.architecture, "code_hash": config["code_hash"]}
    try:
        note_origin(pathlib.Path(checkpoint_dir), origin)
        remove_old_states(pathlib.Path(checkpoint_dir), origin)
        model, state = train(
            settings,
            vocabularies,
            train_files,
            eval_files,
            checkpoint_dir,
            fn_args.model_run_dir,
            other_vectors,
            too_long,
            start,
        )
        facts = {"code_version": config["code_hash"], "metrics": state.best_metrics | {"best_epoch": state.best_epoch}}
        facts["vectors_found"] = state.vectors_found
        export(model, settings, vocabularies, fn_args.serving_model_dir, facts)
        model_run = pathlib.Path(fn_args.model_run_dir)
        task = TASKS[settings.task].code()
        save_bodies(task.bodies(model), model_run / BODIES_FOLDER)
        task.leave(model, vocabularies, model_run)
        vocabularies.save(str(model_run / VOCABULARIES_FOLDER))
        describe(settings, vocabularies, facts).write(model_run)
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error):
            raise SeqlineError(
                f"The disk is full: training could not write ({error}). Free some space and run the same command "
                f"again: training resumes from the last state saved in {checkpoint_dir}."
            ) from error
        raise
    shutil.rmtree(checkpoint_dir, ignore_errors=True)


def train(
    settings: RunSettings,
    vocabularies: Vocabularies,
    train_files: list[str],
    eval_files: list[str],
    checkpoint_dir: str,
    log_dir: str | None = None,
    other_vectors: str = "",
    too_long: Mapping[str, Any] | None = None,
    start: str = "",
) -> tuple[keras.Model, TrainingState]:
    """Trains a model, from the state saved in `checkpoint_dir` if there is one.

    Args:
        settings: of the run.
        vocabularies: of the task's features.
        train_files: transformed examples, TFRecord, gzip.
        eval_files: the same, for validation after every epoch.
        checkpoint_dir: folder of the saved state; left in place.
        log_dir: folder for TensorBoard and `training.json`, if wanted.
        other_vectors: another run's model, or a file, whose vectors of words the tokens begin with; "" for none.
        too_long: what happens to a `source` and to a `target` of too many tokens, as `models.too_long` has it.
        start: folder of what a run has left with whose encoder the model begins; "" for none.

    Returns:
        the model with its best weights, or the mean of its last ones, and how the training went.
    """
    keep_freed_memory()
    keras.utils.set_random_seed(settings.seed)
    task, training = TASKS[settings.task].code().for_run(settings, vocabularies), settings.training
    in_order = task.in_order(settings)
    limits = limits_of(task.task, settings, **(too_long or {})) if task.cuts_texts(settings) else []
    counts = [*count_too_long(train_files, "train", limits), *count_too_long(eval_files, "eval", limits)]
    with _scratch(checkpoint_dir) as scratch:
        examples = read_examples(train_files, task, settings, f"{scratch}/train", limits)
        measured = measure(examples, training.length_buckets)
        buffer = 1 if in_order else measured.shuffle_buffer(training.shuffle_megabytes)
        sizes = training.batch_size, training.batch_tokens
        batches = training_batches(task, examples, measured, sizes[0], buffer, settings.seed, sizes[1])
        total_steps = total_steps_of(batches, training)
        held_out = read_examples(eval_files, task, settings, f"{scratch}/eval", limits)
        validation = evaluation_batches(task, held_out, sizes[0], measured.boundaries, sizes[1])
        with (tf.distribute.get_strategy() if in_order else distribution_strategy()).scope():
            model = build_model(settings, vocabularies)
            found = begin_with(other_vectors, model, vocabularies, settings)
            if start:
                begin_from(pathlib.Path(start), model, task)
                freeze(training.freeze, model, task)
            compile_model(model, task, settings, total_steps)
            checkpointing = Checkpointing(
                checkpoint_dir,
                training.checkpoint_steps,
                training.early_stopping_patience,
                task.best_by,
                task.greater_is_better,
                training.average_last,
            )
            checkpointing.restore(model).vectors_found = found
        curves = TrainingCurves(
            checkpointing,
            measured.positions_per_example * batches.rows,
            log_dir,
            {"too_long": [count.message for count in counts]},
        )
        watches = [Divergence(checkpointing, training), curves, checkpointing]
        _fit(model, batches, validation, watches, Progress(curves, batches, total_steps), log_dir)
        # A training that was killed behind its last step has no epoch left that would write them.
        curves.write()
        check_ended(checkpointing, training)
        checkpointing.finish(model, validation)
    return model, checkpointing.state


@contextlib.contextmanager
def _scratch(checkpoint_dir: str) -> Iterator[str]:
    """A folder for as long as the training lasts, on the disk of its checkpoints; what a kill has left goes."""
    folder = pathlib.Path(checkpoint_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder, ignore_cleanup_errors=True) as scratch:
        yield scratch


def _fit(
    model: keras.Model,
    batches: Batches,
    validation: tf.data.Dataset,
    watches: list[keras.callbacks.Callback],
    progress: "Progress",
    log_dir: str | None,
) -> None:
    """Trains a compiled model from where its checkpoint stands to the end, or to where it stops early."""
    state, total, steps_per_epoch = progress.checkpointing.state, progress.total, batches.steps_per_epoch
    if state.step:
        text = f"training resumes at step {state.step} of {total}"
        tell(text, state.step, total, {"resumed_at": state.step}, notable=True)
    callbacks = [*watches, progress]
    if log_dir:
        callbacks.append(keras.callbacks.TensorBoard(log_dir, write_graph=False))
    while state.step < total and not state.stopped:
        epoch, done = divmod(state.step, steps_per_epoch)
        whole = total // steps_per_epoch
        model.fit(
            batches.dataset.skip(state.step),
            # After a kill in the middle of an epoch, first only what is left of it; and the last one may be cut short.
            epochs=epoch + 1 if done or epoch == whole else whole,
            steps_per_epoch=min(steps_per_epoch - done, total - state.step),
            initial_epoch=epoch,
            validation_data=validation,
            callbacks=callbacks,
            verbose=0,
        )


def total_steps_of(batches: Batches, training: TrainingSettings) -> int:
    """Steps of a whole training."""
    total = batches.steps_per_epoch * training.epochs
    return min(total, training.max_steps or total)


def build_model(settings: RunSettings, vocabularies: Vocabularies) -> keras.Model:
    """Builds the configured architecture, with fresh weights, in the configured precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings.training.precision)
    try:
        return TASKS[settings.task].code().build(settings, vocabularies)
    finally:
        keras.config.set_dtype_policy(before)


def compile_model(model: keras.Model, task: TaskCode, settings: RunSettings, total_steps: int) -> None:
    """Gives a model its optimizer, loss and metrics; schedules end at the last of so many steps."""
    optimizer, training = optimizer_of(settings.training, total_steps), settings.training
    if training.init_from and (training.layer_decay < 1 or training.unfreeze_steps):
        optimizer.rates = LayerRates(layers_below(model, task), training.layer_decay, training.unfreeze_steps)
    model.compile(
        optimizer=optimizer,
        # XLA compiles anew for every length and cannot differentiate a loop whose length it does not know.
        jit_compile=False,
        **task.compile_arguments(settings),
    )


def begin_with(source: str, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings) -> dict[str, float]:
    """Gives tokens the vectors of words that `source` has; "" for none.

    Returns:
        by text feature, the share of the vocabulary that was found.
    """
    if not source:
        return {}
    embeddings = TASKS[settings.task].code().token_embeddings(model)
    trainable = settings.model.embeddings.trainable
    shares = transfer(embeddings, vocabularies.tokenizers, pathlib.Path(source), trainable)
    for feature, share in shares.items():
        text = f"{share:.1%} of the {feature} vocabulary begins with vectors of {settings.model.embeddings.source}"
        tell(text, 0, 1, {f"{feature}_found": share}, notable=True)
    return shares


def distribution_strategy() -> tf.distribute.Strategy:
    """All devices of the machine if there are several GPUs (or logical CPUs), else the one that TensorFlow chooses."""
    devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(devices) > 1:
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


class Progress(keras.callbacks.Callback):
    """Tells the logger `seqline.progress` how far the training is, at most once a second.

    Args:
        curves: what is told beside the losses.
        batches: how many steps an epoch has.
        total: steps of the whole training.
    """

    def __init__(self, curves: TrainingCurves, batches: Batches, total: int):
        super().__init__()
        self.curves = curves
        self.checkpointing = curves.checkpointing
        self.steps_per_epoch = batches.steps_per_epoch
        self.total = total
        self.last = 0.0
        self.validation: dict[str, float] = {}

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Reports the running loss."""
        if time.monotonic() - self.last > 1:
            self._report(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Reports the validation."""
        self.validation = {name: float(value) for name, value in (logs or {}).items() if name.startswith("val_")}
        self._report(logs)

    def _report(self, logs: dict[str, float] | None) -> None:
        self.last = time.monotonic()
        step = self.checkpointing.state.step
        losses = {name: round(float(value), 4) for name, value in (logs or {}).items()} | self.validation
        fields = {"epoch": (max(step, 1) - 1) // self.steps_per_epoch + 1} | losses | self.curves.latest
        text = " ".join(f"{name}={value:.4g}" for name, value in fields.items())
        tell(f"step {step} of {self.total}: {text}", step, self.total, fields)


def _expand(patterns: list[str]) -> list[str]:
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
