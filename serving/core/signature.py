"""A request against a signature: the checks that come before the model runs, in TensorFlow Serving's order."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.core.tensors import UndecodableTensorError, decode_tensor, dtype_number
from serving.errors import FailedPreconditionError, InternalFailureError, InvalidRequestError

DEFAULT_SIGNATURE = "serving_default"
# What a request may bring for an input: as it came over the wire, or ready to use.
Value: TypeAlias = tensor_pb2.TensorProto | np.ndarray

# Where C++, whose messages clients know, calls a type by another name than Python.
_CPP_NAMES = {"float16": "half", "float32": "float", "float64": "double"}
_METHOD_NAMES = ("tensorflow/serving/predict", "tensorflow/serving/classify", "tensorflow/serving/regress")


def find_signature(
    signatures: Mapping[str, meta_graph_pb2.SignatureDef], name: str, check_method_name: bool
) -> meta_graph_pb2.SignatureDef:
    """Finds the signature that a Predict call names.

    Raises:
        FailedPreconditionError: There is none of that name.
        InternalFailureError: Its method name is checked and unknown.
    """
    if name not in signatures:
        raise FailedPreconditionError(f'Serving signature key "{name}" not found.')
    signature = signatures[name]
    if check_method_name and signature.method_name not in _METHOD_NAMES:
        raise InternalFailureError(
            f"Expected prediction signature method_name to be one of {{{', '.join(_METHOD_NAMES)}}}. "
            f"Was: {signature.method_name}"
        )
    return signature


def read_inputs(
    signature: meta_graph_pb2.SignatureDef, inputs: Mapping[str, Value], max_bytes: int, max_repeated: int
) -> dict[str, np.ndarray]:
    """Checks the names of a request's inputs and decodes them; signature defaults fill what is not given.

    Returns:
        One array per input alias of the signature, in alphabetical order. Types are not checked yet.

    Raises:
        InvalidRequestError: Inputs are missing, unknown or cannot be decoded.
    """
    _check_count(signature, inputs)
    arrays = {}
    for alias in sorted(signature.inputs):
        if alias in inputs:
            arrays[alias] = _read(alias, inputs[alias], max_bytes, max_repeated)
        elif alias in signature.defaults:
            arrays[alias] = _read(alias, signature.defaults[alias], max_bytes, max_repeated)
        else:
            raise InvalidRequestError(
                f"Signature input alias: {alias}(feed name: {signature.inputs[alias].name}) not found in request and "
                f"no default value provided. Inputs expected to be in the request {{{_names(inputs)}}}, or default "
                f"input alias set: {_names(signature.defaults)}"
            )
    for alias in sorted(inputs):
        if alias not in signature.inputs:
            raise InvalidRequestError(
                f"Inputs contains invalid name. Used request inputs: {_names(set(inputs) & set(arrays))}, "
                f"request input: {_names(inputs)}"
            )
    return arrays


def choose_outputs(signature: meta_graph_pb2.SignatureDef, output_filter: Sequence[str]) -> tuple[str, ...]:
    """The output aliases to answer, in alphabetical order: those asked for, or all.

    Raises:
        InvalidRequestError: The filter names an unknown output, or one twice.
    """
    chosen: set[str] = set()
    for alias in output_filter:
        if alias not in signature.outputs:
            raise InvalidRequestError(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in the set "
                f"{{{_names(signature.outputs)}}}."
            )
        if alias in chosen:
            raise InvalidRequestError(f"duplicate output tensor alias: {alias}")
        chosen.add(alias)
    return tuple(sorted(chosen or signature.outputs))


def check_types(signature: meta_graph_pb2.SignatureDef, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuses arrays of another type than the graph takes. Shapes are the graph's own business.

    Raises:
        InvalidRequestError: A type differs.
    """
    for position, (alias, array) in enumerate(arrays.items()):
        wanted, given = signature.inputs[alias].dtype, dtype_number(array.dtype)
        if wanted != given:
            raise InvalidRequestError(
                f"Expects arg[{position}] to be {_type_name(wanted)} but {_type_name(given)} is provided"
            )


def check_sizes(arrays: Mapping[str, np.ndarray], max_rows: int, max_string_bytes: int) -> None:
    """Refuses more rows, or a longer string, than the server takes at once.

    Raises:
        InvalidRequestError: The first dimension of an input is larger, or one of its strings.
    """
    for alias, array in arrays.items():
        if array.ndim and len(array) > max_rows:
            raise InvalidRequestError(
                f"input {alias} has {len(array)} rows, more than the {max_rows} that this server takes at once "
                "(serving.max_rows, --max_rows); send them in several requests"
            )
        longest = max(map(len, array.flat), default=0) if array.dtype == object else 0
        if longest > max_string_bytes:
            raise InvalidRequestError(
                f"input {alias} has a string of {longest} bytes, more than the {max_string_bytes} that this server "
                "takes (serving.max_string_bytes, --max_string_bytes); send it in parts"
            )


def _check_count(signature: meta_graph_pb2.SignatureDef, inputs: Mapping[str, Value]) -> None:
    too_many = len(inputs) > len(signature.inputs)
    if too_many or (len(inputs) < len(signature.inputs) and not signature.defaults):
        sent, known = set(inputs), set(signature.inputs)
        raise InvalidRequestError(
            f"input size does not match signature: {len(sent)}!={len(known)} len({{{_names(sent)}}}) != "
            f"len({{{_names(known)}}}). Sent extra: {{{_names(sent - known)}}}. "
            f"Missing but required: {{{_names(known - sent)}}}."
        )


def _read(alias: str, value: Value, max_bytes: int, max_repeated: int) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    try:
        return decode_tensor(value, max_bytes, max_repeated)
    except UndecodableTensorError as error:
        # The reason stays in the chain; the text is what clients of TensorFlow Serving match on.
        raise InvalidRequestError(f"tensor parsing error: {alias}") from error


def _names(names: Iterable[str]) -> str:
    return ",".join(sorted(names))


def _type_name(number: int) -> str:
    name = tf.as_dtype(number).name
    return _CPP_NAMES.get(name, name)
