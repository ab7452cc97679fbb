import numpy as np
import pytest
import tensorflow as tf

from serving.errors import InvalidRequestError
from serving.wire.values import to_array, to_example, to_input


def test_texts_keep_zero_bytes_and_shapes():
    assert to_array(["a\0", b"\xff\0"]).tolist() == [b"a\0", b"\xff\0"]
    assert to_array([["a", "bc"]]).shape == (1, 2)
    assert to_array("one").shape == ()
    assert to_array(np.array(["a", "bc"])).tolist() == [b"a", b"bc"]
    assert to_array([np.array(["é"])]).tolist() == [["é".encode()]]
    assert to_array(np.array([], dtype=object)).dtype == object


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([1, 2], "int64"),
        ([1, 2.0], "float32"),
        (1.5, "float32"),
        ([True], "bool"),
        ([], "float32"),
        ([[2**63]], "uint64"),
        (np.array([1.0]), "float64"),
        (np.float64(1), "float64"),
        (np.int32(1), "int32"),
    ],
)
def test_numbers_of_lists_become_float32_or_int64_and_arrays_keep_their_type(value, dtype):
    assert to_array(value).dtype == dtype


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a", 3], "got 3"),
        ([1, "a"], "got 1"),
        ([["a"], ["b", "c"]], "got"),
        ([[1], [2, 3]], "different lengths"),
        (None, "got None"),
        ([1, None], "got 1"),
        ([2**70], "64 bits at most, got 1180591620717411303424"),
        ({"a": 1}, "got {'a': 1}"),
    ],
)
def test_values_that_make_no_tensor_are_refused(value, message):
    with pytest.raises(InvalidRequestError, match=message):
        to_array(value)


def _feature(value) -> tf.train.Feature:
    if isinstance(value[0], str | bytes):
        plain = [item.encode() if isinstance(item, str) else item for item in value]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=plain))
    if isinstance(value[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=map(int, value)))


@pytest.mark.parametrize(
    "value",
    [["a", "é☺"], [b"\xff\0"], [1, -(2**63), 2**63 - 1], [1.5, -2.25e-40, float("inf")], [True, False], ["x"] * 200],
    ids=str,
)
def test_an_example_is_the_official_one(value):
    official = tf.train.Example(features=tf.train.Features(feature={"f": _feature(value)}))
    assert to_example({"f": value}).SerializeToString() == official.SerializeToString()
    if len(value) == 1:
        assert to_example({"f": value[0]}).SerializeToString() == official.SerializeToString()


def test_arrays_make_features():
    made = to_example(
        {"f": np.float64([1, 2]), "h": np.float16([0.5]), "i": np.uint8([[3], [4]]), "t": np.array(["a"])}
    )
    features = tf.train.Example.FromString(made.SerializeToString()).features.feature
    assert features["f"].float_list.value == [1, 2]
    assert features["h"].float_list.value == [0.5]
    assert features["i"].int64_list.value == [3, 4]
    assert features["t"].bytes_list.value == [b"a"]


def test_an_empty_list_is_a_feature_without_values():
    official = tf.train.Example(features=tf.train.Features(feature={"f": tf.train.Feature()}))
    assert to_example({"f": []}).SerializeToString() == official.SerializeToString()
    assert to_example({}).SerializeToString() == tf.train.Example(features={}).SerializeToString()


@pytest.mark.parametrize("value", [1j, 2**63, [2**63, 2**64 - 1]])
def test_what_is_no_feature_is_refused_by_its_name(value):
    with pytest.raises(InvalidRequestError, match="feature size must hold"):
        to_example({"size": value})


def test_no_examples_are_an_empty_list_not_nothing():
    assert to_input([]).WhichOneof("kind") == "example_list"
    assert to_input([], {}).WhichOneof("kind") == "example_list_with_context"
