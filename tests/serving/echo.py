"""A model that says its prompt, a character a step, and lets a test look at its steps and hold them."""

import json
import threading
from pathlib import Path

import numpy as np
import tensorflow as tf

from tests.serving.saved_models import save

STATE = ["cache", "going", "max_length", "num_drawn", "prompt", "stop"]


class Echo:
    """Its graph calls back into this process, so it only works with a server in the same process.

    A text ends with its prompt ("end"), at `max_length` characters ("length"), or before its one stop string ("stop").
    A prompt that begins with ! is refused.

    Attributes:
        steps: The prompts of the rows that went on, for each step.
        rows: Rows of each step, empty ones included.
        turns: One is taken for each step, where `is_held`.
        is_held: Each step waits for its turn.
    """

    def __init__(self) -> None:
        self.steps: list[list[str]] = []
        self.rows: list[int] = []
        self.turns = threading.Semaphore(0)
        self.is_held = False

    def let(self, steps: int) -> None:
        """Lets so many steps run."""
        for _ in range(steps):
            self.turns.release()

    def let_all(self) -> None:
        """Lets all steps run from now on."""
        self.is_held = False
        self.let(1)

    def _advance(self, prompts, limits, stops, drawn, going):
        self.steps.append([prompt.decode() for prompt, goes in zip(prompts, going, strict=True) if goes])
        self.rows.append(len(prompts))
        if self.is_held:
            self.turns.acquire(timeout=20)
        drawn = (drawn + going).astype(np.int32)
        rows = zip(prompts, limits, stops, drawn, strict=True)
        said = np.array([_said(prompt.decode(), limit, stop.decode(), n) for prompt, limit, stop, n in rows], object)
        return drawn, said[:, 1] == b"", said[:, 0], said[:, 1]

    def save(self, folder: Path, suffix: str = "") -> Path:
        """Writes the model; what it says ends with the suffix."""

        @tf.function(input_signature=[_column("prompt"), _column("max_length", tf.int32), _column("stop")])
        def prefill(prompt, max_length, stop):
            whole = tf.strings.join([prompt, suffix])
            refused = tf.strings.regex_full_match(prompt, "(?s)!.*")
            with tf.control_dependencies([tf.debugging.assert_equal(refused, False, "no !")]):
                return {
                    "prompt": tf.identity(whole),
                    "max_length": tf.identity(max_length),
                    "stop": tf.identity(stop),
                    "num_drawn": tf.zeros_like(max_length),
                    "going": max_length > 0,
                    "cache": tf.repeat(tf.strings.to_hash_bucket_fast(whole, 1000)[:, tf.newaxis], 8, axis=1),
                }

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 8], tf.int64, "cache"),
                _column("going", tf.bool),
                _column("max_length", tf.int32),
                _column("num_drawn", tf.int32),
                _column("prompt"),
                _column("stop"),
            ]
        )
        def step(cache, going, max_length, num_drawn, prompt, stop):
            types = [tf.int32, tf.bool, tf.string, tf.string]
            drawn, goes, text, reason = tf.numpy_function(
                self._advance, [prompt, max_length, stop, num_drawn, going], types
            )
            # What is read in a row must be the row's own.
            own = tf.strings.to_hash_bucket_fast(prompt, 1000)[:, tf.newaxis]
            with tf.control_dependencies([tf.debugging.assert_equal(cache, tf.repeat(own, 8, axis=1))]):
                score = -tf.cast(drawn, tf.float32)
            outputs = {"num_drawn": drawn, "going": goes, "text": text, "reason": reason, "score": score}
            return {"cache": cache + 0} | {name: tf.ensure_shape(value, [None]) for name, value in outputs.items()}

        # The graph knows the Python function by number only; it lives as long as the tf.function.
        self._held = [*getattr(self, "_held", []), step]
        save(folder, serving_default=prefill, prefill=prefill, step=step)
        described = {
            "streaming": {"prefill": "prefill", "step": "step", "state": STATE},
            "request_settings": [{"name": "max_length", "default": 100}, {"name": "stop", "default": ""}],
        }
        (folder / "assets.extra").mkdir(exist_ok=True)
        (folder / "assets.extra" / "seqline.json").write_text(json.dumps(described))
        return folder


def _column(name: str, dtype: tf.DType = tf.string) -> tf.TensorSpec:
    return tf.TensorSpec([None], dtype, name=name)


def _said(prompt: str, limit: int, stop: str, drawn: int) -> tuple[bytes, bytes]:
    text = prompt[:drawn]
    if stop and stop in text:
        return text[: text.index(stop)].encode(), b"stop"
    reason = b"length" if drawn >= limit else b"end" if drawn >= len(prompt) else b""
    return text.encode(), reason
