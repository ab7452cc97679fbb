"""Warm-up: recorded requests that a new version answers before the first client does.

The file is the one of TensorFlow Serving: a TFRecord of `tensorflow.serving.PredictionLog` in the version folder.
"""

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.core.messages import Messages
from serving.core.op_errors import meaning_of
from serving.core.predict import Predictor
from serving.core.servable import Servable
from serving.core.version_records import Lease
from serving.errors import DataLossError, InvalidRequestError, NotSupportedError

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_MAX_RECORDS = 1000


def warm_up(servable: Servable, predictor: Predictor, iterations: int = 1) -> int:
    """Runs the recorded requests of a version.

    Args:
        servable: The version, loaded.
        predictor: Runs the requests, on the path that clients' requests take.
        iterations: Times that each record is run.

    Returns:
        Number of records run; 0 where there is no file.

    Raises:
        ServingError: The file is broken, or a request fails. The version must not be served then.
    """
    path = servable.path / WARMUP_FILE
    if not path.is_file():
        return 0
    count, messages = 0, Messages(predictor)
    for raw in _read_records(path):
        if count == _MAX_RECORDS:
            raise InvalidRequestError(f"Number of warmup records exceeds the maximum ({_MAX_RECORDS}) at {path}")
        for _ in range(iterations):
            _run(_parse(raw, path), servable, messages)
        count += 1
    return count


def _read_records(path: Path) -> Iterator[bytes]:
    try:
        yield from tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    except tf.errors.DataLossError as error:
        raise DataLossError(f"{error.message}. Please verify your warmup data is in TFRecord format.") from error
    except tf.errors.OpError as error:
        raise meaning_of(error) from error


def _parse(raw: bytes, path: Path) -> prediction_log_pb2.PredictionLog:
    try:
        return prediction_log_pb2.PredictionLog.FromString(raw)
    except DecodeError as error:
        shown = raw.decode(errors="replace")
        raise InvalidRequestError(f"Failed to parse warmup record: {shown} from {path}") from error


def _run(log: prediction_log_pb2.PredictionLog, servable: Servable, messages: Messages) -> None:
    lease = Lease(0, servable)  # the version that a record names does not matter
    kind = log.WhichOneof("log_type")
    if kind == "predict_log":
        messages.wait(messages.predict(log.predict_log.request, lease))
    elif kind == "classify_log":
        messages.wait(messages.classify(log.classify_log.request, lease))
    elif kind == "regress_log":
        messages.wait(messages.regress(log.regress_log.request, lease))
    elif kind == "multi_inference_log":
        messages.wait(messages.multi_inference(log.multi_inference_log.request, lease))
    elif kind:
        number = prediction_log_pb2.PredictionLog.DESCRIPTOR.fields_by_name[kind].number
        raise NotSupportedError(f"Unsupported log_type for warmup: {number}")
