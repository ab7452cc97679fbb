"""Worker: training of a model of ours, built and compiled as `models.training.train` builds and compiles it."""

import time
from typing import Any

import keras
import tensorflow as tf

from benchmarks.audio.workers import answer_jobs
from benchmarks.recurrent.shapes import LABELS
from benchmarks.recurrent.vocabularies import vocabularies_of
from models.memory import keep_freed_memory
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tasks.code import Example
from models.tokenizers.special import SPECIAL_TOKENS
from models.training import build_model, compile_model

# Schedules are constant here: the length of the training is of no effect.
_STEPS = 1000


class KerasTraining:
    """Measures steps on one random batch.

    Args:
        settings: Of the run.
        length: Tokens of a row.
        pieces: Of each vocabulary.
        threads: Of TensorFlow.
    """

    def __init__(self, settings: dict[str, Any], length: int, pieces: int, threads: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        keep_freed_memory()
        keras.utils.set_random_seed(1)
        run = RunSettings.model_validate(settings)
        self._model = build_model(run, vocabularies_of(run, pieces))
        compile_model(self._model, TASKS[run.task].code(), run, _STEPS)
        batch = random_batch(run.task, run.training.batch_size, length, pieces)
        self._batches = tf.data.Dataset.from_tensors(batch).repeat()
        parameters = sum(variable.shape.num_elements() for variable in self._model.trainable_variables)
        self.facts = {"tensorflow": tf.__version__, "parameters": parameters}

    def __call__(self, steps: int, processor_time: bool) -> dict[str, Any]:
        """Seconds of so many steps, on the clock or of all processors, and their mean loss in nats."""
        clock = time.process_time if processor_time else time.perf_counter
        started = clock()
        history = self._model.fit(self._batches, steps_per_epoch=steps, verbose=0).history
        return {"seconds": clock() - started, "loss": history["loss"][-1]}


def random_batch(task: str, rows: int, length: int, pieces: int) -> Example:
    """A batch as the task's `batches` gives it, without padding."""

    def tokens() -> tf.Tensor:
        return tf.random.uniform([rows, length], len(SPECIAL_TOKENS), pieces, tf.int32)

    match task:
        case "text_classification":
            return tokens(), tf.random.uniform([rows], maxval=len(LABELS), dtype=tf.int32), tf.ones([rows])
        case "text_to_text":
            inputs = {"source_token_ids": tokens(), "decoder_token_ids": tokens()}
            return inputs, tokens(), tf.ones([rows, length])
        case _:
            inputs = {"token_ids": tokens(), "resets": tf.zeros([rows], tf.int32)}
            return inputs, tokens(), tf.ones([rows, length])


if __name__ == "__main__":
    answer_jobs(KerasTraining)
