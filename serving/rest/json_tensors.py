"""JSON values to arrays, by the dtype that a signature asks for.

The first element of each level of lists gives the shape; every other element has to fit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2

from serving.errors import InvalidRequestError, NotSupportedError
from serving.rest.json_echo import echo
from serving.rest.json_values import Json, read_base64, to_bytes, type_name

# numpy has 64, and one may be added for the batch. TensorFlow's own limit is 254.
_MAX_RANK = 63
# Elements read at once: no other thread runs while Python maps a list, and probes of health must not wait for it.
_PIECE = 2**14


@dataclass(frozen=True)
class _Kind:
    """How JSON becomes elements of a dtype.

    Attributes:
        types: What the parser gives for a legal value.
        dtype: The elements of the array.
        range: For integers, the dtype that bounds what is accepted. Where it is wider than `dtype` the high bits are
            cut off, as TensorFlow does.
    """

    types: frozenset[type]
    dtype: type[np.generic]
    range: type[np.integer] | None = None

    def accepts_all(self, values: Sequence[Json]) -> bool:
        """Whether some values, one at least, are all legal."""
        if not self.types.issuperset(map(type, values)):
            return False
        if self.range is None:
            return True
        bounds = np.iinfo(self.range)
        return bounds.min <= min(values) and max(values) <= bounds.max


_INTEGER, _NUMBER = frozenset({int}), frozenset({int, float})
_KINDS = {
    types_pb2.DT_FLOAT: _Kind(_NUMBER, np.float32),
    types_pb2.DT_DOUBLE: _Kind(_NUMBER, np.float64),
    types_pb2.DT_INT8: _Kind(_INTEGER, np.int8, np.int32),
    types_pb2.DT_UINT8: _Kind(_INTEGER, np.uint8, np.int32),
    types_pb2.DT_INT16: _Kind(_INTEGER, np.int16, np.int32),
    types_pb2.DT_INT32: _Kind(_INTEGER, np.int32, np.int32),
    types_pb2.DT_INT64: _Kind(_INTEGER, np.int64, np.int64),
    types_pb2.DT_UINT32: _Kind(_INTEGER, np.uint32, np.uint32),
    types_pb2.DT_UINT64: _Kind(_INTEGER, np.uint64, np.uint64),
    types_pb2.DT_BOOL: _Kind(frozenset({bool}), np.bool_),
    types_pb2.DT_STRING: _Kind(frozenset({str}), np.object_),
}


def dtype_name(dtype: int) -> str:
    """TensorFlow's C++ name of a dtype: float, int32, half and the like."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def read_tensor(value: Json, dtype: int) -> np.ndarray:
    """Reads a value, or nested lists of values.

    Args:
        value: Parsed JSON.
        dtype: Number of the dtype, as in a signature (`types_pb2`).

    Returns:
        The array; strings as objects of bytes.

    Raises:
        InvalidRequestError: An element has another type, or the lists are no rectangle.
        NotSupportedError: JSON has no form for this dtype.
    """
    array = read_plain_tensor(value, dtype)
    if array is not None:
        return array
    shape = _shape(value)
    elements = list(_walk(value, shape, dtype))
    if dtype not in _KINDS:  # there are none, else one would have been refused
        return np.empty(shape, tf.as_dtype(dtype).as_numpy_dtype)
    return _to_array(elements, _KINDS[dtype]).reshape(shape)


def read_plain_tensor(value: Json, dtype: int) -> np.ndarray | None:
    """Reads whole levels at a time: many times faster than a walk through the elements.

    Returns:
        None where only a walk can tell what is wrong, or how base64 reads.

    Raises:
        InvalidRequestError: The lists are nested too deep.
    """
    shape, kind, elements = _shape(value), _KINDS.get(dtype), iter([value])
    if kind is None:
        return None
    for size in shape:
        lists = list(elements)
        if set(map(type, lists)) != {list} or set(map(len, lists)) != {size}:
            return None
        elements = chain.from_iterable(lists)
    parts = [np.empty(0, kind.dtype)]
    while piece := list(islice(elements, _PIECE)):
        if not kind.accepts_all(piece):
            return None
        parts.append(_to_array(list(map(to_bytes, piece)) if kind.dtype is np.object_ else piece, kind))
    return np.concatenate(parts).reshape(shape)


def _shape(value: Json) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        if not value:
            break
        value = value[0]
    if len(shape) > _MAX_RANK:
        raise InvalidRequestError(f"A tensor has at most {_MAX_RANK} dimensions, got {len(shape)} nested lists")
    return tuple(shape)


def _walk(value: Json, shape: tuple[int, ...], dtype: int, level: int = 0) -> Iterator[Json]:
    """The elements, one by one; raises at the first that does not fit."""
    if not isinstance(value, list):
        if level != len(shape):
            raise InvalidRequestError(
                f"JSON Value: {echo(value)} found at incorrect level: {level + 1} in the JSON DOM. "
                f"Expected at level: {len(shape)}"
            )
        yield _read_element(value, dtype)
        return
    if level >= len(shape):
        raise InvalidRequestError(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
    if len(value) != shape[level]:
        raise InvalidRequestError(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for element in value:
        yield from _walk(element, shape, dtype, level + 1)


def _read_element(value: Json, dtype: int) -> Json:
    if dtype == types_pb2.DT_STRING and isinstance(value, dict):
        return read_base64(value)
    if dtype not in _KINDS and not isinstance(value, dict):
        raise NotSupportedError(f"Conversion of JSON Value: {echo(value)} to type: {dtype_name(dtype)}")
    if dtype not in _KINDS or not _KINDS[dtype].accepts_all([value]):
        raise InvalidRequestError(
            f"JSON Value: {echo(value)} Type: {type_name(value)} is not of expected type: {dtype_name(dtype)}"
        )
    return to_bytes(value) if isinstance(value, str) else value


def _to_array(elements: Sequence[Json], kind: _Kind) -> np.ndarray:
    if kind.dtype is np.object_:
        array = np.empty(len(elements), dtype=object)
        array[:] = elements
        return array
    with np.errstate(over="ignore"):  # a double beyond float becomes infinite
        return np.array(elements, dtype=kind.range or kind.dtype).astype(kind.dtype)
