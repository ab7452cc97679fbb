import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.core import tensors as server_tensors
from serving.errors import InvalidRequestError
from serving.wire import tensors
from serving.wire.messages import TensorProto
from serving.wire.tensors import UnreadableTensorError, decode_tensor, encode_tensor

_KINDS = "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 ? c8 c16".split()
_DTYPES = [np.dtype(kind) for kind in _KINDS] + [np.dtype(ml_dtypes.bfloat16)]
_SHAPES = [(), (1,), (3,), (0,), (2, 3), (2, 0, 3), (1, 1)]


def _numbers(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    # Signs, fractions and the far ends, where the type has them.
    if dtype.kind in "iu":
        return np.where(values % 2, np.iinfo(dtype).max, np.iinfo(dtype).min).astype(dtype)
    return ((values - 1.5) * (1 + 2j if dtype.kind == "c" else 1)).astype(dtype)


def _texts(shape: tuple[int, ...]) -> np.ndarray:
    pool = [b"", "é☺".encode(), b"a\0", b"\xff", b"x" * 300, b"b"]
    array = np.empty(shape, dtype=object)
    for index in range(array.size):
        array.flat[index] = pool[index % len(pool)]
    return array


def _official(array: np.ndarray) -> tensor_pb2.TensorProto:
    return tf.make_tensor_proto(array, shape=array.shape)


@pytest.mark.parametrize("shape", _SHAPES, ids=str)
@pytest.mark.parametrize("dtype", _DTYPES, ids=str)
def test_numbers_are_the_bytes_of_make_tensor_proto(dtype, shape):
    array = _numbers(dtype, shape)
    assert encode_tensor(array).SerializeToString() == _official(array).SerializeToString()


@pytest.mark.parametrize("shape", _SHAPES, ids=str)
def test_texts_are_the_bytes_of_make_tensor_proto(shape):
    array = _texts(shape)
    official = tf.make_tensor_proto(array.tolist(), tf.string, shape)
    assert encode_tensor(array).SerializeToString() == official.SerializeToString()


@pytest.mark.parametrize("as_content", [False, True], ids=["values", "content"])
@pytest.mark.parametrize("shape", _SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [*_DTYPES, np.dtype(object)], ids=str)
def test_what_the_server_writes_is_read(dtype, shape, as_content):
    array = _texts(shape) if dtype.kind == "O" else _numbers(dtype, shape)
    sent = server_tensors.encode_tensor(array, as_tensor_content=as_content).SerializeToString()
    read = decode_tensor(TensorProto.FromString(sent))
    assert (read.dtype, read.shape, read.tolist()) == (dtype, shape, array.tolist())
    assert read.flags.writeable


def test_not_a_number_and_infinity_survive():
    values = np.float32([np.nan, np.inf, -np.inf, -0.0])
    assert decode_tensor(encode_tensor(values)).tobytes() == values.tobytes()
    assert np.isnan(decode_tensor(encode_tensor(values[0])))


def test_views_and_foreign_byte_order_are_sent_in_order():
    array = np.arange(6, dtype=">f4").reshape(2, 3).T
    assert encode_tensor(array).SerializeToString() == _official(array.astype("<f4")).SerializeToString()


@pytest.mark.parametrize(
    ("proto", "expected"),
    [
        ({"float_val": [1, 2]}, [1, 2, 2]),
        ({"float_val": [1, 2, 3, 4]}, [1, 2, 3]),
        ({}, [0, 0, 0]),
    ],
    ids=["the last repeats", "surplus is ignored", "none are zeros"],
)
def test_values_fill_the_shape_as_in_tensorflow(proto, expected):
    made = TensorProto(dtype=1, **proto)
    made.tensor_shape.dim.add(size=3)
    assert decode_tensor(made).tolist() == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dtype": 20}, "type 20"),
        ({"dtype": 0}, "type 0"),
        ({"dtype": 1, "tensor_content": b"12345"}, "do not fit its shape \\(2,\\)"),
        ({"dtype": 1, "tensor_content": b"1234"}, "do not fit"),
        ({"dtype": 7, "tensor_content": b"\x01\x05ab"}, "do not fit"),
        ({"dtype": 7, "tensor_content": b"\x80"}, "do not fit"),
    ],
)
def test_a_tensor_that_cannot_be_read_is_refused(fields, message):
    proto = TensorProto(**fields)
    proto.tensor_shape.dim.add(size=2)
    with pytest.raises(UnreadableTensorError, match=message):
        decode_tensor(proto)


def test_types_that_the_api_lacks_are_refused_with_those_it_has():
    with pytest.raises(InvalidRequestError, match=r"datetime64.*bfloat16.*float32"):
        encode_tensor(np.array(["2024-03-05"], dtype="datetime64[D]"))


def test_without_ml_dtypes_bfloat16_is_refused_and_told(monkeypatch):
    monkeypatch.setattr(tensors, "bfloat16", None)
    with pytest.raises(UnreadableTensorError, match="pip install ml_dtypes"):
        decode_tensor(TensorProto(dtype=14))
