"""Requests that a server runs before a model becomes available."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tfx.utils import path_utils

from components.sameness import Tensors
from components.serving_validator.answers import to_tensor

_BATCH_SIZES = (1, 4, 16)


def write_warmup(model: Path, name: str, requests: Mapping[str, Tensors]) -> None:
    """Writes warm-up requests for several batch sizes.

    Args:
        model: folder of the SavedModel.
        name: name of the model.
        requests: inputs by signature.
    """
    path = Path(path_utils.warmup_file_path(str(model)))
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            for size in _BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, values in inputs.items():
                    # Few examples are repeated: the size is what warms up.
                    rows = values[np.arange(size) % len(values)]
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(to_tensor(rows)))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())
