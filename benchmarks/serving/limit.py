"""What the model itself can do: the SavedModel in a loop, in a process of its own, without a server around it.

It runs as our server runs it, a graph session with TensorFlow's default threads, which is also the fastest way there
is. Several threads may call it at the same time; the better of one and of one per processor is the limit.
"""

import itertools
import os
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.serving.requests import groups


@dataclass(frozen=True)
class Description:
    """What the other servers must agree with.

    Attributes:
        alias: Name of the one input.
        words: The strings that the model answers to the first text: its label, or the transformed text.
    """

    alias: str
    words: list[bytes]


class Limit:
    """The model in its own process. Usable as a context manager that ends the process."""

    def __init__(self, version: Path, signature: str) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self._pool = ProcessPoolExecutor(1, get_context("spawn"), _load, (version, signature))

    def describe(self, texts: Sequence[str]) -> Description:
        """Asks the model one text."""
        return self._pool.submit(_describe, texts[:1]).result()

    def rows_per_second(self, texts: Sequence[str], batch_size: int, seconds: float) -> float:
        """Rows per second in batches of this size."""
        ways = {1, os.cpu_count() or 1}
        return max(self._pool.submit(_rate, texts, batch_size, seconds / len(ways), way).result() for way in ways)

    def single_milliseconds(self, texts: Sequence[str], rows: int, seconds: float) -> float:
        """Median time of a run with the rows of one request."""
        return self._pool.submit(_median, texts, rows, seconds).result()

    def __enter__(self) -> "Limit":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


# === In the process of the model ===

_model: Any = None


class _Model:
    def __init__(self, version: Path, signature_name: str) -> None:
        from serving.core.servable import Servable  # TensorFlow, which the parent does not need

        servable = Servable(version)
        signature = servable.signatures[signature_name]
        ((self.alias, feed),) = signature.inputs.items()
        self.fetches = sorted(output.name for output in signature.outputs.values())
        self.run = servable.program((feed.name,), tuple(self.fetches)).run
        self._servable = servable  # keeps the session open


def _load(version: Path, signature: str) -> None:
    global _model
    _model = _Model(version, signature)


def _describe(texts: Sequence[str]) -> Description:
    values = _model.run([_arrays(texts, 1)[0]])
    return Description(_model.alias, [value[0] for value in values if value.dtype == object and value.ndim == 1])


def _arrays(texts: Sequence[str], rows: int) -> list[Any]:
    import numpy as np

    return [np.array([text.encode() for text in group], dtype=object) for group in groups(texts, rows)]


def _median(texts: Sequence[str], rows: int, seconds: float) -> float:
    took: list[float] = []
    turns = itertools.cycle(_arrays(texts, rows))
    end = time.perf_counter() + seconds
    while not took or time.perf_counter() < end:
        array = next(turns)
        started = time.perf_counter()
        _model.run([array])
        took.append(time.perf_counter() - started)
    return 1000 * statistics.median(took)


def _rate(texts: Sequence[str], rows: int, seconds: float, num_threads: int) -> float:
    arrays = _arrays(texts, rows)
    for array in arrays[:3]:
        _model.run([array])
    counts = [0] * num_threads
    started = time.perf_counter()

    def work(index: int) -> None:
        for array in itertools.cycle(arrays):
            _model.run([array])
            counts[index] += rows
            if time.perf_counter() - started > seconds:
                return

    threads = [threading.Thread(target=work, args=(index,)) for index in range(num_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)
