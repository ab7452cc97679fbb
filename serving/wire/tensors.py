"""TensorProto to numpy and back, without TensorFlow."""

import math
from typing import Any

import numpy as np

from serving.errors import InvalidRequestError, ServingError
from serving.wire.messages import TensorProto

try:
    from ml_dtypes import bfloat16
except ImportError:  # numpy has no bfloat16 of its own
    bfloat16 = None

_STRING, _BFLOAT16 = 7, 14
# Number of each type in the API, with its numpy type, its value field and what numpy calls the values of that field.
_DTYPES: dict[int, tuple[np.dtype, str, type]] = {
    1: (np.dtype(np.float32), "float_val", np.float32),
    2: (np.dtype(np.float64), "double_val", np.float64),
    3: (np.dtype(np.int32), "int_val", np.int32),
    4: (np.dtype(np.uint8), "int_val", np.int32),
    5: (np.dtype(np.int16), "int_val", np.int32),
    6: (np.dtype(np.int8), "int_val", np.int32),
    _STRING: (np.dtype(object), "string_val", object),
    8: (np.dtype(np.complex64), "scomplex_val", np.float32),
    9: (np.dtype(np.int64), "int64_val", np.int64),
    10: (np.dtype(np.bool_), "bool_val", np.bool_),
    17: (np.dtype(np.uint16), "int_val", np.int32),
    18: (np.dtype(np.complex128), "dcomplex_val", np.float64),
    19: (np.dtype(np.float16), "half_val", np.int32),
    22: (np.dtype(np.uint32), "uint32_val", np.uint32),
    23: (np.dtype(np.uint64), "uint64_val", np.uint64),
}
if bfloat16 is not None:
    _DTYPES[_BFLOAT16] = (np.dtype(bfloat16), "half_val", np.int32)
_NUMBERS = {dtype: number for number, (dtype, _, _) in _DTYPES.items()}
# What tf.make_tensor_proto never writes as raw bytes: texts, booleans, complex numbers and, of all numbers, uint16.
_ALWAYS_BY_VALUE = {_STRING, 8, 10, 17, 18}


class UnreadableTensorError(ServingError):
    """A tensor of a response that this client cannot read."""


def numpy_type(number: int) -> np.dtype | None:
    """The numpy type of a DataType, object for texts; None for what this client cannot send."""
    return _DTYPES[number][0] if number in _DTYPES else None


def encode_tensor(array: np.ndarray) -> Any:
    """Writes a tensor, byte for byte as tf.make_tensor_proto does: raw bytes where there are several numbers.

    Args:
        array: Numbers, or objects that are bytes.

    Raises:
        InvalidRequestError: The API has no such type.
    """
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype not in _NUMBERS:
        raise InvalidRequestError(
            f"an input must hold texts, numbers or booleans, got an array of {array.dtype}; "
            f"the types that can be sent: {', '.join(sorted(map(str, _NUMBERS)))}"
        )
    number = _NUMBERS[array.dtype]
    _, field, carrier = _DTYPES[number]
    proto = TensorProto(dtype=number)
    proto.tensor_shape.SetInParent()  # present, if empty, for rank 0 too
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.size > 1 and number not in _ALWAYS_BY_VALUE:
        proto.tensor_content = array.tobytes()
        return proto
    flat = np.ascontiguousarray(array).reshape(-1)
    if field == "half_val":
        flat = flat.view(np.uint16)
    elif field.endswith("complex_val"):
        flat = flat.view(carrier)
    getattr(proto, field).extend(flat.tolist())
    return proto


def decode_tensor(proto: Any) -> np.ndarray:
    """Reads a tensor; strings become an object array of bytes.

    Fewer values than elements repeat the last one, none give zeros, surplus ones are ignored.

    Raises:
        UnreadableTensorError: Its type is unknown here, or its bytes do not fit its shape.
    """
    if proto.dtype == _BFLOAT16 and bfloat16 is None:
        raise UnreadableTensorError("the server sent bfloat16, which numpy lacks; `pip install ml_dtypes` to read it")
    if proto.dtype not in _DTYPES:
        raise UnreadableTensorError(f"the server sent a tensor of type {proto.dtype}, which this client cannot read")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    count = math.prod(shape)
    read = _from_content if proto.tensor_content else _from_values
    try:
        return read(proto, count).reshape(shape)
    except (ValueError, IndexError) as error:
        raise UnreadableTensorError(f"the server sent a tensor whose bytes do not fit its shape {shape}") from error


def _from_values(proto: Any, count: int) -> np.ndarray:
    dtype, field, carrier = _DTYPES[proto.dtype]
    given = getattr(proto, field)
    values: np.ndarray = np.fromiter(given, carrier, len(given))
    if field == "half_val":
        values = values.astype(np.uint16).view(dtype)
    elif field.endswith("complex_val"):
        values = values.view(dtype)
    else:
        values = values.astype(dtype, copy=False)
    if not len(values):
        return np.full(count, b"" if proto.dtype == _STRING else 0, dtype)
    return np.concatenate([values[:count], np.repeat(values[-1:], max(0, count - len(values)))])


def _from_content(proto: Any, count: int) -> np.ndarray:
    if proto.dtype == _STRING:
        return _strings_from_content(proto.tensor_content, count)
    return np.frombuffer(proto.tensor_content, _DTYPES[proto.dtype][0]).copy()  # writable


def _strings_from_content(content: bytes, count: int) -> np.ndarray:
    """Reads TensorFlow's packed strings: all lengths as varints, then all bytes."""
    lengths, position = [], 0
    for _ in range(count):
        length = shift = 0
        while content[position] & 0x80:
            length |= (content[position] & 0x7F) << shift
            position, shift = position + 1, shift + 7
        lengths.append(length | content[position] << shift)
        position += 1
    if position + sum(lengths) != len(content):
        raise ValueError("lengths and bytes differ")
    values = np.empty(count, dtype=object)
    for index, length in enumerate(lengths):
        values[index] = content[position : position + length]
        position += length
    return values
