"""Requests made from raw examples, and the answers of the model in process."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tfx.utils import path_utils

from components.errors import NotServableError

DEFAULT_SIGNATURE = "serving_default"
# Inputs that take a whole serialized tf.Example instead of one of its features.
_SERIALIZED_INPUTS = ("examples", "inputs")
_WARMUP_BATCH_SIZES = (1, 4, 16)

# Input or output name -> values, batch first.
Tensors = dict[str, np.ndarray]


def read_examples(folder: Path, limit: int) -> list[bytes]:
    """The first serialized examples of a split."""
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    return list(tf.data.TFRecordDataset(files, compression_type=compression).take(limit).as_numpy_iterator())


def form_inputs(
    inputs: Mapping[str, tf.TensorSpec], examples: Sequence[bytes], defaults: Mapping[str, float] | None = None
) -> Tensors | None:
    """Fills the inputs of a signature from examples.

    Args:
        inputs: input name to spec.
        examples: serialized raw tf.Examples.
        defaults: values of inputs that no example has: the settings of a request.

    Returns:
        Input name to values (B,), for recordings (B, N), or None when an input is neither a batch of strings or
        recordings that the examples have nor one of the defaults.
    """
    parsed = [tf.train.Example.FromString(example).features.feature for example in examples]
    filled = {name: _fill_input(name, spec, parsed, examples, defaults or {}) for name, spec in inputs.items()}
    result = {name: values for name, values in filled.items() if values is not None}
    return result if result and len(result) == len(filled) else None


def _fill_input(
    name: str,
    spec: tf.TensorSpec,
    parsed: Sequence[Mapping[str, Any]],
    examples: Sequence[bytes],
    defaults: Mapping[str, float],
) -> np.ndarray | None:
    rows = [row[name] for row in parsed if name in row]
    if spec.shape.rank == 2 and spec.dtype == tf.float32 and len(rows) == len(parsed):
        return _padded([row.float_list.value for row in rows])
    if spec.shape.rank != 1:
        return None
    if name in defaults:
        return np.full(len(examples), defaults[name], spec.dtype.as_numpy_dtype)
    if name == "num_samples" and all("audio" in row for row in parsed):
        return np.array([len(row["audio"].float_list.value) for row in parsed], spec.dtype.as_numpy_dtype)
    if spec.dtype != tf.string:
        return None
    if len(rows) == len(parsed) and all(len(row.bytes_list.value) == 1 for row in rows):
        return np.array([row.bytes_list.value[0] for row in rows], dtype=object)
    return np.array(list(examples), dtype=object) if name in _SERIALIZED_INPUTS else None


def _padded(rows: Sequence[Sequence[float]]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for values, row in zip(padded, rows, strict=True):
        values[: len(row)] = row
    return padded


def requests_and_answers(model: Path, examples: Sequence[bytes]) -> tuple[dict[str, Tensors], dict[str, Tensors]]:
    """Inputs and outputs by signature, for every signature whose inputs the examples can fill.

    Args:
        model: folder of the SavedModel.
        examples: serialized raw tf.Examples.

    Raises:
        NotServableError: there are no examples, the model cannot be loaded, or it fails on them.
    """
    if not examples:
        raise NotServableError("there are no examples to ask it about; the evaluation split is empty")
    # The server runs on the processor alone, because this process may hold all memory of the GPU; so both do.
    with tf.device("/CPU:0"):
        try:
            loaded = tf.saved_model.load(str(model))
        except Exception as error:
            raise NotServableError(f"TensorFlow cannot load it: {error}") from error
        signatures, defaults = loaded.signatures, _request_defaults(model)
        requests = {}
        for signature in sorted(signatures):
            inputs = form_inputs(signatures[signature].structured_input_signature[1], examples, defaults)
            if inputs:
                requests[signature] = inputs
        if DEFAULT_SIGNATURE not in requests:
            raise NotServableError(_no_default_request(signatures, examples))
        return requests, {name: _run(signatures[name], inputs, name) for name, inputs in requests.items()}


def _request_defaults(model: Path) -> dict[str, float]:
    """What the model says of the settings of a request; nothing for a model of another maker."""
    try:
        return json.loads((model / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))["request_defaults"]
    except (OSError, ValueError, KeyError):
        return {}


def _no_default_request(signatures: Mapping[str, Any], examples: Sequence[bytes]) -> str:
    if DEFAULT_SIGNATURE not in signatures:
        return f"it has no signature {DEFAULT_SIGNATURE}; its signatures: {', '.join(sorted(signatures)) or 'none'}"
    specs = signatures[DEFAULT_SIGNATURE].structured_input_signature[1]
    inputs = ", ".join(f"{name} {spec.dtype.name} {spec.shape}" for name, spec in specs.items())
    return (
        f"the inputs of {DEFAULT_SIGNATURE} must be batches of strings named as the features of the examples "
        f"({', '.join(_string_features(examples[0]))}); they are: {inputs or 'none'}"
    )


def _string_features(serialized: bytes) -> list[str]:
    features = tf.train.Example.FromString(serialized).features.feature
    return sorted(name for name, feature in features.items() if len(feature.bytes_list.value) == 1)


def _run(signature: Any, inputs: Tensors, name: str) -> Tensors:
    try:
        outputs = signature(**{key: _tensor(values) for key, values in inputs.items()})
    except tf.errors.OpError as error:
        raise NotServableError(f"signature {name} fails on raw examples: {error.message}") from error
    return {key: value.numpy() for key, value in outputs.items()}


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values.tolist() if values.dtype == object else values)


def write_warmup(model: Path, name: str, requests: Mapping[str, Tensors]) -> None:
    """Writes requests for a server to run before the model becomes available, for several batch sizes.

    Args:
        model: folder of the SavedModel.
        name: name of the model.
        requests: inputs by signature.
    """
    path = Path(path_utils.warmup_file_path(str(model)))
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            for size in _WARMUP_BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, values in inputs.items():
                    # Few examples are repeated: the size is what warms up.
                    rows = values[np.arange(size) % len(values)]
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(_tensor(rows)))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())
