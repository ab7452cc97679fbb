"""Worker: our WaveNet generates without queues, by a full pass over its receptive field for each sample."""

import time
from typing import Any

import keras
import tensorflow as tf

from benchmarks.audio.workers import answer_jobs
from models.audio import SILENCE_ID
from models.decoding.choice import choose
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model

WARM_UP_SAMPLES = 3


class FullPass:
    """Measures the naive way; weights are fresh, and conditions left out, which cost nothing here.

    Args:
        settings: Of the run.
        threads: Of TensorFlow.
    """

    def __init__(self, settings: dict[str, Any], threads: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        keras.utils.set_random_seed(1)
        run = RunSettings.model_validate(settings)
        model = build_model(run, Vocabularies(run.tokenizer, {}))
        self._receptive_field = run.model.receptive_field
        self.facts = {"parameters": model.count_params()}

        @tf.function
        def following(window: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
            drawn = choose(model({"audio_ids": window})[:, -1], noise, tf.ones_like(noise))
            return tf.concat([window[:, 1:], drawn[:, tf.newaxis]], axis=1)

        self._following = following

    def __call__(self, rows: int, samples: int) -> dict[str, Any]:
        """Seconds of the first samples, tracing included, and of all others."""
        window = tf.fill([rows, self._receptive_field], SILENCE_ID)
        noise = tf.unstack(tf.random.uniform([WARM_UP_SAMPLES + samples, rows]))
        started = time.perf_counter()
        for one in noise[:WARM_UP_SAMPLES]:
            window = self._following(window, one)
        warm = time.perf_counter()
        for one in noise[WARM_UP_SAMPLES:]:
            window = self._following(window, one)
        window.numpy()
        return {"first_seconds": warm - started, "seconds": time.perf_counter() - warm}


if __name__ == "__main__":
    answer_jobs(FullPass)
