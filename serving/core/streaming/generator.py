"""Takes requests for answers that are given piece by piece to the batch of the version that answers."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import tensorflow as tf

from serving.core.metrics import Metrics
from serving.core.servable import Servable
from serving.core.signature import check_sizes, find_signature
from serving.core.streaming.batch import ContinuousBatch
from serving.core.streaming.description import Setting, Streaming
from serving.core.streaming.metrics import StreamMetrics
from serving.core.streaming.programs import StreamPrograms
from serving.core.streaming.stream import Stream
from serving.errors import STOPPING, FailedPreconditionError, InvalidRequestError, UnavailableError
from serving.settings import ServingSettings

# Between the stop strings of a request, as models take them.
STOP_SEPARATOR = "\x1f"


class Generator:
    """One running batch for each version that writes texts at the moment."""

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        """Begins without batches.

        Args:
            settings: Limits.
            metrics: Counts.
        """
        self._settings = settings
        self._metrics = metrics
        self._lock = threading.Lock()
        self._batches: dict[Servable, tuple[str, ContinuousBatch]] = {}
        self._stopped = False
        metrics.add_gauge("stream_rows", ["model_name"], partial(self._counts, lambda batch: batch.num_running))
        metrics.add_gauge("streams_waiting", ["model_name"], partial(self._counts, lambda batch: batch.num_waiting))

    def begin(
        self,
        model: str,
        servable: Servable,
        given: Mapping[str, Setting],
        wake: Callable[[], None],
        held: contextlib.ExitStack,
    ) -> Stream:
        """Reads and checks a request, and begins its text.

        Args:
            model: Name of the model, for the metrics.
            servable: The version to ask.
            given: Inputs of the request; a setting that it does not bring takes the model's default.
            wake: As for `Stream`.
            held: What stays held until the text has ended; the caller's own where this raises.

        Raises:
            ServingError: The model gives no answer piece by piece, the request is wrong, or too many wait.
        """
        streaming = servable.streaming
        if streaming is None:
            raise FailedPreconditionError(
                f"model {model} has no signatures that give an answer piece by piece; ask for whole answers by Predict"
            )
        stream = Stream(self._inputs(servable, streaming, given), _stops(streaming, given), wake, held)
        while not self._batch(model, servable, streaming).add(stream):
            continue  # that one ended with its last text at this moment
        return stream

    def stop(self) -> None:
        """Ends all texts."""
        with self._lock:
            self._stopped = True
            batches = [batch for _, batch in self._batches.values()]
        for batch in batches:
            batch.stop()

    def _batch(self, model: str, servable: Servable, streaming: Streaming) -> ContinuousBatch:
        with self._lock:
            if self._stopped:
                raise UnavailableError(STOPPING)
            _, batch = self._batches.get(servable, (model, None))
            if batch is None or batch.ended:
                programs, metrics = StreamPrograms(servable, streaming), StreamMetrics(self._metrics, model)
                batch = ContinuousBatch(programs, self._settings.streaming, metrics, self._forget_ended)
                self._batches[servable] = (model, batch)
            return batch

    def _forget_ended(self) -> None:
        with self._lock:
            self._batches = {servable: pair for servable, pair in self._batches.items() if not pair[1].ended}

    def _counts(self, read: Callable[[ContinuousBatch], int]) -> dict[tuple[str, ...], float]:
        counts: Counter[tuple[str, ...]] = Counter()
        for model, batch in list(self._batches.values()):
            counts[(model,)] += read(batch)
        return dict(counts)

    def _inputs(self, servable: Servable, streaming: Streaming, given: Mapping[str, Setting]) -> dict[str, np.ndarray]:
        signature = find_signature(servable.signatures, streaming.prefill, False)
        values = {**streaming.defaults, **given}
        unknown, missing = given.keys() - signature.inputs.keys(), signature.inputs.keys() - values.keys()
        if unknown or missing:
            raise InvalidRequestError(
                f"the model takes {', '.join(sorted(signature.inputs))}; got {', '.join(sorted(given)) or 'nothing'}: "
                f"{' and '.join([*(f'leave out {name}' for name in unknown), *(f'give {name}' for name in missing)])}"
            )
        arrays = {
            alias: _row(alias, values[alias], tf.as_dtype(info.dtype)) for alias, info in signature.inputs.items()
        }
        check_sizes(arrays, self._settings.max_rows, self._settings.max_string_bytes)
        return arrays


def _row(name: str, value: Setting, dtype: tf.DType) -> np.ndarray:
    """One row of an input.

    Raises:
        InvalidRequestError: The value is not of its type.
    """
    if dtype == tf.string and isinstance(value, str):
        return np.array([value.encode("utf-8", "surrogateescape")], object)
    if dtype.is_floating and not isinstance(value, str):
        return np.array([value], dtype.as_numpy_dtype)
    # The description of a model has its defaults as JSON's numbers, which know no type.
    if dtype.is_integer and isinstance(value, float) and value.is_integer():
        value = int(value)
    if dtype.is_integer and isinstance(value, int) and dtype.min <= value <= dtype.max:
        return np.array([value], dtype.as_numpy_dtype)
    wanted = "a text" if dtype == tf.string else "a number" if dtype.is_floating else f"a whole number of {dtype.name}"
    raise InvalidRequestError(f"{name} takes {wanted}, got {value!r:.256}")


def _stops(streaming: Streaming, given: Mapping[str, Setting]) -> list[str]:
    stop = str({**streaming.defaults, **given}.get("stop", ""))
    return [each for each in stop.split(STOP_SEPARATOR) if each]
