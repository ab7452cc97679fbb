"""Requests made from raw examples, and the answers of the model in process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401

from components.errors import NotServableError
from components.requests import DEFAULT_SIGNATURE, InputSpec, requests_of
from components.sameness import Tensors
from models.description import ModelDescription
from models.errors import SeqlineError


def read_examples(folder: Path, limit: int) -> list[bytes]:
    """The first serialized examples of a split."""
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    return list(tf.data.TFRecordDataset(files, compression_type=compression).take(limit).as_numpy_iterator())


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
            signatures = tf.saved_model.load(str(model)).signatures
        except Exception as error:
            raise NotServableError(f"TensorFlow cannot load it: {error}") from error
        specs = {name: specs_of(signature) for name, signature in signatures.items()}
        requests = requests_of(_description(model), specs, examples)
        if DEFAULT_SIGNATURE not in requests:
            raise NotServableError(_no_default_request(signatures, examples))
        return requests, {name: _run(signatures[name], inputs, name) for name, inputs in requests.items()}


def specs_of(signature: Any) -> dict[str, InputSpec]:
    """The inputs of a signature that TensorFlow has loaded."""
    specs = signature.structured_input_signature[1]
    return {name: InputSpec(np.dtype(spec.dtype.as_numpy_dtype), spec.shape.rank) for name, spec in specs.items()}


def _description(model: Path) -> ModelDescription | None:
    """What the model says of itself; nothing for a model of another maker."""
    try:
        return ModelDescription.read(model)
    except SeqlineError:
        return None


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
    return sorted(name for name, feature in features.items() if feature.bytes_list.value)


def _run(signature: Any, inputs: Tensors, name: str) -> Tensors:
    try:
        outputs = signature(**{key: to_tensor(values) for key, values in inputs.items()})
    except tf.errors.OpError as error:
        raise NotServableError(f"signature {name} fails on raw examples: {error.message}") from error
    return {key: value.numpy() for key, value in outputs.items()}


def to_tensor(values: np.ndarray) -> tf.Tensor:
    """The same with strings that TensorFlow knows as such."""
    return tf.constant(values.tolist(), tf.string, values.shape) if values.dtype == object else tf.constant(values)
