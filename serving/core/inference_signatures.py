"""What Classify and Regress ask of a signature and of its outputs, in TensorFlow Serving's order and words."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import InvalidRequestError

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"

_KINDS = {CLASSIFY: "classification", REGRESS: "regression"}


def check_signature(signature: meta_graph_pb2.SignatureDef, method: str, check_method_name: bool) -> None:
    """Refuses a signature that does not have the form of the method.

    Args:
        signature: Of the model.
        method: CLASSIFY or REGRESS.
        check_method_name: Refuse a signature that names another method.

    Raises:
        InvalidRequestError: The signature does not fit.
    """
    kind = _KINDS[method]
    if check_method_name and signature.method_name != method:
        raise InvalidRequestError(f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}")
    if len(signature.inputs) != 1:
        raise InvalidRequestError("Expected one input Tensor.")
    if method == CLASSIFY and len(signature.outputs) not in (1, 2):
        raise InvalidRequestError(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if method == REGRESS and len(signature.outputs) != 1:
        raise InvalidRequestError("Expected one output Tensor.")
    if "inputs" not in signature.inputs:
        raise InvalidRequestError(f"No {kind} inputs found in SignatureDef: {signature}")
    if method == CLASSIFY and not {"classes", "scores"} & set(signature.outputs):
        raise InvalidRequestError(
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            f"Signature was: {signature}"
        )
    if method == REGRESS and "outputs" not in signature.outputs:
        raise InvalidRequestError(f"No regression outputs found in SignatureDef: {signature}")


def check_classification(outputs: Mapping[str, np.ndarray], num_examples: int) -> None:
    """Refuses outputs that are no classification of the examples.

    Args:
        outputs: `classes`, `scores` or both.
        num_examples: Rows that the request had.

    Raises:
        InvalidRequestError: A shape or type does not fit.
    """
    for alias, dtype in (("classes", tf.string), ("scores", tf.float32)):
        if alias in outputs:
            _check_matrix(alias, outputs[alias], dtype, num_examples)
    widths = [outputs[alias].shape[1] for alias in ("classes", "scores") if alias in outputs]
    if len(set(widths)) > 1:
        raise InvalidRequestError(
            f"Tensors class and score should match in dim_size(1). Got {widths[0]} vs. {widths[1]}"
        )


def check_regression(values: np.ndarray, num_examples: int) -> None:
    """Refuses an output that is no regression of the examples.

    Raises:
        InvalidRequestError: Its shape or type does not fit.
    """
    if values.ndim not in (1, 2) or values.shape[1:] not in ((), (1,)):
        raise InvalidRequestError(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got " + _show(values)
        )
    if len(values) != num_examples:
        raise InvalidRequestError(f"Input batch size did not match output batch size: {num_examples} vs. {len(values)}")
    if values.dtype != np.float32:
        raise InvalidRequestError(f"Expected output Tensor of DT_FLOAT.  Got: {_type_name(values)}")


def _check_matrix(alias: str, array: np.ndarray, dtype: tf.DType, num_examples: int) -> None:
    if array.ndim != 2:
        raise InvalidRequestError(f"Expected Tensor shape: [batch_size num_classes] but got {_show(array)}")
    if tf.as_dtype(array.dtype) != dtype:
        wanted = "DT_STRING" if dtype == tf.string else "DT_FLOAT"
        raise InvalidRequestError(f"Expected {alias} Tensor of {wanted}. Got: {_type_name(array)}")
    if len(array) != num_examples:
        raise InvalidRequestError(f"Expected {alias} output batch size of {num_examples}. Got: {len(array)}")


def _show(array: np.ndarray) -> str:
    return f"[{','.join(map(str, array.shape))}]"


def _type_name(array: np.ndarray) -> str:
    return types_pb2.DataType.Name(tf.as_dtype(array.dtype).as_datatype_enum)
