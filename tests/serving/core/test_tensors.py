import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.core.tensors import UndecodableTensorError, decode_tensor, encode_tensor

ARRAYS = [
    np.array([[1.5, -2.0]], np.float32),
    np.array([1e300], np.float64),
    np.array([[2**40], [-1]], np.int64),
    np.array([1, -7], np.int32),
    np.array([1, -7], np.int16),
    np.array([1, -7], np.int8),
    np.array([1, 250], np.uint8),
    np.array([1, 65000], np.uint16),
    np.array([2**32 - 1], np.uint32),
    np.array([2**64 - 1], np.uint64),
    np.array([True, False]),
    np.array([1.5, -2.25], np.float16),
    np.array([1.5, -2.25], ml_dtypes.bfloat16),
    np.array([1 + 2j], np.complex64),
    np.array([1 - 2j, 3j], np.complex128),
    np.array(["größe".encode(), b"\x00\xff\x00", b""], object),
    np.array(3.0, np.float32),
    np.zeros((0, 4), np.float32),
    np.zeros((2, 0), object),
]
IDS = [f"{array.dtype}-{array.shape}" for array in ARRAYS]


@pytest.mark.parametrize("array", ARRAYS, ids=IDS)
@pytest.mark.parametrize("as_content", [False, True])
def test_every_type_survives_the_way_there_and_back(array, as_content):
    back = decode_tensor(encode_tensor(array, as_content))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tolist() == array.tolist()


@pytest.mark.parametrize("array", ARRAYS, ids=IDS)
def test_the_default_encoding_uses_value_fields_that_tensorflow_reads(array):
    proto = encode_tensor(array)
    assert not proto.tensor_content
    assert tf.make_ndarray(proto).tolist() == array.tolist()


@pytest.mark.parametrize(
    "array", [array for array in ARRAYS if array.size], ids=[i for i, a in zip(IDS, ARRAYS, strict=True) if a.size]
)
def test_reads_what_tensorflow_writes(array):
    assert decode_tensor(tf.make_tensor_proto(array)).tolist() == array.tolist()


def proto(dtype=types_pb2.DT_FLOAT, shape=(3,), **values) -> tensor_pb2.TensorProto:
    made = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


def test_the_last_of_too_few_values_is_repeated():
    assert decode_tensor(proto(float_val=[1, 2])).tolist() == [1, 2, 2]
    assert decode_tensor(proto(types_pb2.DT_STRING, string_val=[b"a"])).tolist() == [b"a"] * 3


def test_no_values_are_zeros():
    assert decode_tensor(proto()).tolist() == [0, 0, 0]
    assert decode_tensor(proto(types_pb2.DT_STRING)).tolist() == [b""] * 3


def test_surplus_values_are_ignored():
    assert decode_tensor(proto(float_val=[1, 2, 3, 4])).tolist() == [1, 2, 3]
    assert decode_tensor(proto(types_pb2.DT_STRING, (1,), string_val=[b"a", b"b"])).tolist() == [b"a"]


def test_the_low_bits_of_half_values_count_whatever_their_sign():
    assert decode_tensor(proto(types_pb2.DT_HALF, (1,), half_val=[0x3C00 - 2**16])).tolist() == [1.0]


@pytest.mark.parametrize(
    "broken",
    [
        proto(types_pb2.DT_INVALID),
        proto(types_pb2.DT_RESOURCE),
        proto(99),
        proto(tensor_content=b"123"),
        proto(shape=(-1,), float_val=[1]),
        proto(shape=(2**40, 2**40)),
        proto(shape=(0, 2**62)),
        proto(shape=(1,) * 65),
        proto(types_pb2.DT_STRING, tensor_content=b"\xff"),
        proto(types_pb2.DT_STRING, tensor_content=b"\x01\x01\x01ab"),
        tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_shape={"unknown_rank": True}),
    ],
    ids=[
        "no dtype",
        "resource",
        "unknown dtype",
        "short",
        "negative",
        "huge",
        "huge beside zero",
        "more dimensions than numpy has",
        "open varint",
        "few bytes",
        "unknown rank",
    ],
)
def test_what_describes_no_tensor_is_refused(broken):
    with pytest.raises(UndecodableTensorError):
        decode_tensor(broken)


def test_a_few_bytes_cannot_claim_more_memory_than_the_limit():
    with pytest.raises(UndecodableTensorError, match="exceed the limit of 1000 bytes"):
        decode_tensor(proto(shape=(1000,), float_val=[1]), max_bytes=1000)
