"""What a caller passes, in the form that goes over the wire: arrays, and tf.Example."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serving.errors import InvalidRequestError
from serving.wire.messages import Example, Input

_LARGEST = np.iinfo(np.int64).max


def to_array(value: Any) -> np.ndarray:
    """A request's value as an array: texts as bytes, numbers of lists as float32 or int64; an array keeps its type.

    Raises:
        InvalidRequestError: The value makes no tensor.
    """
    is_array = isinstance(value, np.ndarray | np.generic)
    is_text = np.asarray(_first_leaf(value)).dtype.kind in "USO"
    try:
        array = np.array(value, dtype=object) if is_text else np.asarray(value)
    except ValueError as error:
        raise InvalidRequestError(f"the lists of an input have different lengths: {error}") from error
    if array.dtype.kind in "USO":
        # Never numpy's own choice for texts: its fixed-width strings lose trailing zero bytes.
        return _encode_texts(array if is_text else np.array(value, dtype=object))
    return array.astype(np.float32) if array.dtype == np.float64 and not is_array else array


def to_input(examples: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None) -> Any:
    """The tf.Examples of a classification or regression.

    Args:
        examples: Feature name to value, one mapping for each example.
        context: Features that all of them share; an example's own win.

    Raises:
        InvalidRequestError: A value makes no feature.
    """
    made = Input()
    if context is None:
        made.example_list.SetInParent()
        made.example_list.examples.extend(map(to_example, examples))
    else:
        made.example_list_with_context.examples.extend(map(to_example, examples))
        made.example_list_with_context.context.CopyFrom(to_example(context))
    return made


def to_example(features: Mapping[str, Any]) -> Any:
    """A tf.Example from feature name to a text, a number, or a list or array of them; an empty one has no values.

    Raises:
        InvalidRequestError: A value makes no feature.
    """
    example = Example()
    example.features.SetInParent()
    for name, value in features.items():
        feature = example.features.feature[name]
        array = to_array(value).reshape(-1)
        if not array.size:
            continue
        if array.dtype == object:
            feature.bytes_list.value.extend(array)
        elif array.dtype.kind == "f":
            feature.float_list.value.extend(array.tolist())
        elif array.dtype.kind in "biu" and array.max() <= _LARGEST:
            feature.int64_list.value.extend(array.astype(np.int64).tolist())
        else:
            raise InvalidRequestError(f"feature {name} must hold texts, float or int64 numbers, got {value!r}")
    return example


def _first_leaf(value: Any) -> Any:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return value


def _encode_texts(array: np.ndarray) -> np.ndarray:
    encoded = np.empty(array.size, dtype=object)
    for index, item in enumerate(array.reshape(-1)):
        if not isinstance(item, str | bytes):
            raise InvalidRequestError(f"an input takes texts only, or numbers of 64 bits at most, got {item!r}")
        encoded[index] = item.encode() if isinstance(item, str) else item
    return encoded.reshape(array.shape)
