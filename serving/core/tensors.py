"""TensorProto to numpy and back, as TensorFlow Serving reads and writes it.

`tf.make_ndarray` and `tf.make_tensor_proto` differ from the server in details that clients see: surplus values,
strings in `tensor_content`, and the encoding of outputs (the server writes value fields where `make_tensor_proto`
writes raw bytes).
"""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

_MAX_TENSOR_BYTES = 2**31 - 1
_PIECE = 2**16  # elements

_Plain = Callable[[np.ndarray], Sequence]


def _by_value(flat: np.ndarray) -> Sequence:
    return flat.tolist()


def _as_bits(flat: np.ndarray) -> Sequence:
    return flat.view(np.uint16).tolist()


# Value field of each dtype, and how a flat array becomes the plain values of that field.
_FIELDS: dict[int, tuple[str, _Plain]] = {
    types_pb2.DT_FLOAT: ("float_val", _by_value),
    types_pb2.DT_DOUBLE: ("double_val", _by_value),
    types_pb2.DT_INT32: ("int_val", _by_value),
    types_pb2.DT_INT16: ("int_val", _by_value),
    types_pb2.DT_INT8: ("int_val", _by_value),
    types_pb2.DT_UINT8: ("int_val", _by_value),
    types_pb2.DT_UINT16: ("int_val", _by_value),
    types_pb2.DT_INT64: ("int64_val", _by_value),
    types_pb2.DT_UINT32: ("uint32_val", _by_value),
    types_pb2.DT_UINT64: ("uint64_val", _by_value),
    types_pb2.DT_BOOL: ("bool_val", _by_value),
    types_pb2.DT_STRING: ("string_val", _by_value),
    types_pb2.DT_HALF: ("half_val", _as_bits),
    types_pb2.DT_BFLOAT16: ("half_val", _as_bits),
    types_pb2.DT_COMPLEX64: ("scomplex_val", lambda flat: flat.view(np.float32).tolist()),
    types_pb2.DT_COMPLEX128: ("dcomplex_val", lambda flat: flat.view(np.float64).tolist()),
}


class UndecodableTensorError(ValueError):
    """A TensorProto that describes no tensor."""


def decode_tensor(
    proto: tensor_pb2.TensorProto, max_bytes: int = _MAX_TENSOR_BYTES, max_repeated: int = _MAX_TENSOR_BYTES
) -> np.ndarray:
    """Reads a tensor; strings become an object array of bytes.

    Fewer values than elements repeat the last one, none give zeros, surplus ones are ignored.

    Args:
        proto: The tensor as sent.
        max_bytes: Largest unfolded tensor; a few bytes can claim any shape.
        max_repeated: Most values that it may claim without bringing them.

    Raises:
        UndecodableTensorError: The proto describes no tensor within the limit.
    """
    if proto.dtype not in _FIELDS:
        raise UndecodableTensorError(f"dtype {proto.dtype} cannot be read")
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise UndecodableTensorError("the shape is not fully known")
    dtype = _dtype_of(proto.dtype)
    count = math.prod(shape)
    if count * dtype.itemsize > max_bytes:
        raise UndecodableTensorError(f"{count} elements of {dtype} exceed the limit of {max_bytes} bytes")
    if not proto.tensor_content and count - len(getattr(proto, _FIELDS[proto.dtype][0])) > max_repeated:
        raise UndecodableTensorError(f"of {count} elements more than {max_repeated} are claimed and not sent")
    flat = _from_content(proto, dtype, count) if proto.tensor_content else _from_values(proto, dtype, count)
    try:
        return flat.reshape(shape)
    except ValueError as error:  # more than 64 dimensions, or huge ones beside a zero
        raise UndecodableTensorError(f"the shape is none that numpy has: {error}") from error


def encode_tensor(array: np.ndarray, as_tensor_content: bool = False) -> tensor_pb2.TensorProto:
    """Writes a tensor: value fields, one entry per element, or raw bytes when asked for."""
    proto = tensor_pb2.TensorProto()
    write_tensor(array, proto, as_tensor_content)
    return proto


def write_tensor(array: np.ndarray, proto: tensor_pb2.TensorProto, as_tensor_content: bool = False) -> None:
    """The same into a message that is there and empty."""
    dtype = dtype_number(array.dtype)
    proto.dtype = dtype
    proto.tensor_shape.SetInParent()  # present, if empty, for rank 0 too
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if as_tensor_content:
        proto.tensor_content = _strings_to_content(array) if dtype == types_pb2.DT_STRING else array.tobytes()
        return
    name, plain = _FIELDS[dtype]
    field, flat = getattr(proto, name), np.ascontiguousarray(array).reshape(-1)
    # In pieces: no other thread runs while Python extends a field, and probes of health must not wait for it.
    for start in range(0, len(flat), _PIECE):
        field.extend(plain(flat[start : start + _PIECE]))


@functools.cache
def _dtype_of(number: int) -> np.dtype:
    return np.dtype(tf.as_dtype(number).as_numpy_dtype)


@functools.cache
def dtype_number(dtype: np.dtype) -> int:
    """TensorFlow's number of a dtype."""
    return int(tf.as_dtype(dtype).as_datatype_enum)


def _from_content(proto: tensor_pb2.TensorProto, dtype: np.dtype, count: int) -> np.ndarray:
    if proto.dtype == types_pb2.DT_STRING:
        return _strings_from_content(proto.tensor_content, count)
    if len(proto.tensor_content) != count * dtype.itemsize:
        raise UndecodableTensorError(
            f"tensor_content holds {len(proto.tensor_content)} bytes, the shape needs {count * dtype.itemsize}"
        )
    return np.frombuffer(proto.tensor_content, dtype=dtype)


def _from_values(proto: tensor_pb2.TensorProto, dtype: np.dtype, count: int) -> np.ndarray:
    field, plain = _FIELDS[proto.dtype]
    given = getattr(proto, field)
    if dtype.kind == "O":
        values = np.empty(min(len(given), count), dtype=object)
        values[:] = given[:count]
    elif plain is _as_bits:
        values = _read_numbers(given, np.dtype(np.int32)).astype(np.uint16)[:count].view(dtype)
    elif dtype.kind == "c":
        values = _read_numbers(given, dtype.type(0).real.dtype)[: 2 * count]
        values = values[: len(values) // 2 * 2].view(dtype)
    else:
        # C++ narrows int_val to the dtype without a check; so does astype.
        values = _read_numbers(given, None).astype(dtype, copy=False)[:count]
    if len(values) == count:
        return values
    if not len(values):
        return np.full(count, b"" if dtype.kind == "O" else dtype.type(0), dtype=dtype)
    return np.concatenate([values, np.repeat(values[-1:], count - len(values))])


def _read_numbers(given: Sequence, dtype: np.dtype | None) -> np.ndarray:
    """A field of numbers as an array, read in pieces for the same reason as it is written in pieces."""
    if len(given) <= _PIECE:
        return np.array(given, dtype=dtype)
    return np.concatenate(
        [np.array(given[start : start + _PIECE], dtype=dtype) for start in range(0, len(given), _PIECE)]
    )


def _strings_from_content(content: bytes, count: int) -> np.ndarray:
    """Reads TensorFlow's packed strings: all lengths as varints, then all bytes."""
    lengths, position = [], 0
    for _ in range(count):
        length, position = _read_varint(content, position)
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise UndecodableTensorError("tensor_content does not hold the strings that the shape needs")
    values = np.empty(count, dtype=object)
    for index, length in enumerate(lengths):
        values[index] = content[position : position + length]
        position += length
    return values


def _read_varint(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(content) and shift < 64:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return value, position
    raise UndecodableTensorError("tensor_content ends inside the length of a string")


def _strings_to_content(array: np.ndarray) -> bytes:
    values = [bytes(value) for value in array.reshape(-1)]
    return b"".join([*(_varint(len(value)) for value in values), *values])


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
