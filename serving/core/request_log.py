"""A sample of the requests and answers, kept for later: TFRecord files of `tensorflow.serving.PredictionLog`.

The files can be replayed as warm-up requests, and compared with the training data to see how the traffic drifts.
"""

import logging
import queue
import random
import threading
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import Message
from tensorflow_serving.apis import prediction_log_pb2

from serving.core.metrics import Metrics
from serving.settings import RequestLogSettings

_log = logging.getLogger("seqline.serving")

_WAITING_RECORDS = 1000


class RequestLog:
    """Writes samples on a thread of its own. A request never waits for it: what comes too fast is dropped, and counted.

    A file has the suffix .partial while it is written; under its final name it is complete.
    """

    def __init__(self, settings: RequestLogSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(_WAITING_RECORDS)
        self._files: dict[str, _LogFile] = {}
        self._thread = threading.Thread(target=self._write, name="seqline-request-log", daemon=True)
        if settings.folder:
            self._thread.start()

    def offer(self, model_name: str, make: Callable[[], prediction_log_pb2.PredictionLog]) -> None:
        """Logs a request, if the sampling picks it.

        Args:
            model_name: Names the folder of the files.
            make: Makes the record; only called for what is logged.
        """
        if not self._settings.folder or random.random() >= self._settings.sampling_rate:
            return
        log = make()
        log.log_metadata.sampling_config.sampling_rate = self._settings.sampling_rate
        log.log_metadata.timestamp_secs = int(time.time())
        try:
            self._waiting.put_nowait((model_name, log.SerializeToString()))
            self._metrics.request_log_count.add(model_name, "OK")
        except queue.Full:
            self._metrics.request_log_count.add(model_name, "RESOURCE_EXHAUSTED")

    def close(self) -> None:
        """Writes what waits and completes the files."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()

    def _write(self) -> None:
        while (item := self._waiting.get()) is not None:
            name, record = item
            try:
                file = self._files.get(name)
                if file is None:
                    folder = Path(self._settings.folder) / urllib.parse.quote(name, safe="")
                    file = self._files[name] = _LogFile(folder, self._settings)
                file.append(record)
            except (OSError, tf.errors.OpError) as error:  # a full disk must not end the serving
                _log.error("request log of model %s: %s", name, error)
                self._files.pop(name, None)
        for file in self._files.values():
            file.complete()


def log_of(api: str, request: Message, response: Message) -> prediction_log_pb2.PredictionLog:
    """A request and its answer as one record.

    Args:
        api: Predict, Classify or Regress, in any case.
        request: What was asked.
        response: What was answered.
    """
    log = prediction_log_pb2.PredictionLog()
    part = getattr(log, f"{api.lower()}_log")
    part.request.CopyFrom(request)
    part.response.CopyFrom(response)
    return log


class _LogFile:
    """The file that a model's records go to at present."""

    def __init__(self, folder: Path, settings: RequestLogSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._settings = settings
        self._writer: tf.io.TFRecordWriter | None = None
        self._partial = folder
        self._size = 0

    def append(self, record: bytes) -> None:
        if self._writer is None:
            self._partial = self._folder / f"requests-{time.time_ns()}.tfrecord.partial"
            self._writer = tf.io.TFRecordWriter(str(self._partial))
            self._size = 0
        self._writer.write(record)
        self._size += len(record) + 16
        if self._size >= self._settings.max_file_bytes:
            self.complete()

    def complete(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        self._writer = None
        self._partial.rename(self._partial.with_suffix(""))
        complete = sorted(self._folder.glob("requests-*.tfrecord"))
        for old in complete[: -self._settings.max_files]:
            old.unlink()
