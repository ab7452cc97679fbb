"""Worker: training of our WaveNet, compiled as `models.training.train` compiles it."""

import time
from typing import Any

import keras
import tensorflow as tf

from benchmarks.audio.workers import answer_jobs
from models.audio import LEVELS
from models.memory import keep_freed_memory
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model


class KerasTraining:
    """Measures steps of Adam on random samples.

    Args:
        settings: Of the run, without conditions.
        length: Samples of a row, all predicted.
        threads: Of TensorFlow.
        jit_compile: By XLA.
    """

    def __init__(self, settings: dict[str, Any], length: int, threads: int, jit_compile: bool) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        keep_freed_memory()
        keras.utils.set_random_seed(1)
        run = RunSettings.model_validate(settings)
        self._model = build_model(run, Vocabularies(run.tokenizer, {}))
        self._model.compile(
            optimizer=keras.optimizers.Adam(run.training.learning_rate, global_clipnorm=run.training.clip_norm),
            jit_compile=jit_compile,
            **TASKS[run.task].code().compile_arguments(run),
        )
        shape = [run.training.batch_size, length]
        levels, targets = tf.unstack(tf.random.uniform([2, *shape], maxval=LEVELS, dtype=tf.int32))
        self._batches = tf.data.Dataset.from_tensors(({"audio_ids": levels}, targets, tf.ones(shape))).repeat()
        self.facts = {"tensorflow": tf.__version__, "parameters": self._model.count_params()}

    def __call__(self, steps: int) -> dict[str, Any]:
        """Seconds of so many steps, and their mean loss in nats."""
        started = time.perf_counter()
        history = self._model.fit(self._batches, steps_per_epoch=steps, verbose=0).history
        return {"seconds": time.perf_counter() - started, "loss": history["loss"][-1]}


if __name__ == "__main__":
    answer_jobs(KerasTraining)
