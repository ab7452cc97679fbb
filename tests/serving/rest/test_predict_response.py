import base64
import json
import math

import ml_dtypes
import numpy as np
import pytest

from serving.errors import InvalidRequestError
from serving.rest.predict_response import write_predictions


def strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def rows(**outputs):
    return json.loads(write_predictions(outputs, is_row=True))


def columns(**outputs):
    return json.loads(write_predictions(outputs, is_row=False))


def refusal(is_row: bool, **outputs) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        write_predictions(outputs, is_row)
    return str(caught.value)


def test_rows_of_one_output_are_bare_values():
    assert rows(y=np.array([1.5, 2], np.float32)) == {"predictions": [1.5, 2.0]}
    assert rows(y=np.arange(4).reshape(2, 1, 2)) == {"predictions": [[[0, 1]], [[2, 3]]]}


def test_rows_of_several_outputs_are_objects():
    answer = rows(a=np.array([1, 2], np.int8), b=np.array([[True], [False]]), c=strings(b"x", b"y"))
    assert answer == {"predictions": [{"a": 1, "b": [True], "c": "x"}, {"a": 2, "b": [False], "c": "y"}]}


def test_columns_are_tensors():
    assert columns(y=np.array(2.5)) == {"outputs": 2.5}
    assert columns(y=np.zeros((2, 0, 3), np.int32)) == {"outputs": [[], []]}
    assert columns(a=np.array([1, 2, 3]), b=np.array(True)) == {"outputs": {"a": [1, 2, 3], "b": True}}


def test_a_batch_of_no_rows_is_an_empty_list():
    assert rows(y=np.zeros((0, 3), np.float32)) == {"predictions": []}
    assert rows(a=np.zeros(0), b=np.zeros((0, 2))) == {"predictions": []}
    assert rows(y=np.zeros((2, 0))) == {"predictions": [[], []]}


@pytest.mark.parametrize("is_row", [True, False])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_ints_keep_their_whole_range(dtype, is_row):
    bounds = np.iinfo(dtype)
    [values] = json.loads(write_predictions({"y": np.array([bounds.min, bounds.max], dtype)}, is_row)).values()
    assert values == [bounds.min, bounds.max]


FLOATS = [
    (3, "3.0"),
    (0, "0.0"),
    (-0.0, "-0.0"),
    (2.5, "2.5"),
    (1e6, "1e+06"),
    (9000000, "9e+06"),
    (123456, "123456.0"),
    (1234567, "1234567.0"),
    (0.00003, "3e-05"),
    (1 / 3, "0.333333343"),
    (0.2, "0.2"),
    (16777216, "16777216.0"),
    (3.4028234663852886e38, "3.40282347e+38"),
    (math.nan, "NaN"),
    (-math.nan, "NaN"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
]


@pytest.mark.parametrize(("value", "text"), FLOATS)
def test_floats_have_six_digits_or_as_many_as_they_need(value, text):
    assert (
        write_predictions({"y": np.array(value, np.float32)}, is_row=False) == f'{{\n    "outputs": {text}\n}}'.encode()
    )


@pytest.mark.parametrize(("value", "text"), [(1 / 3, "0.33333333333333331"), (0.1, "0.1"), (1e300, "1e+300")])
def test_doubles_have_up_to_17_digits(value, text):
    assert write_predictions({"y": np.array(value)}, is_row=False) == f'{{\n    "outputs": {text}\n}}'.encode()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_float_reads_back_as_itself(dtype):
    size = np.dtype(dtype).itemsize
    values = np.frombuffer(np.random.default_rng(0).bytes(5000 * size), dtype)
    answer = np.array(rows(y=values)["predictions"], np.float64)
    np.testing.assert_array_equal(answer.astype(dtype), values)


def test_strings_are_escaped_and_otherwise_left_as_they_are():
    body = write_predictions({"y": strings('"\\/\n\x01한'.encode(), b"\xff\xfe")}, is_row=True)
    assert body == b'{\n    "predictions": ["\\"\\\\/\\n\\u0001\xed\x95\x9c", "\xff\xfe"\n    ]\n}'


@pytest.mark.parametrize("is_row", [True, False])
def test_outputs_named_bytes_go_as_base64(is_row):
    values = strings(b"\xff\x00", b"")
    [answer] = json.loads(write_predictions({"image_bytes": values}, is_row)).values()
    assert [base64.b64decode(value["b64"]) for value in answer] == list(values)


def test_only_strings_go_as_base64():
    assert columns(count_bytes=np.array([3])) == {"outputs": [3]}


def test_rows_stand_in_one_line_and_the_end_of_the_list_on_its_own():
    body = write_predictions({"y": np.array([2.5, 3.0, 4.5], np.float32)}, is_row=True)
    assert body == b'{\n    "predictions": [2.5, 3.0, 4.5\n    ]\n}'
    body = write_predictions({"y": np.array([[1, 2], [3, 4]])}, is_row=True)
    assert body == b'{\n    "predictions": [[1, 2], [3, 4]\n    ]\n}'


def test_row_objects_have_a_line_for_each_output():
    body = write_predictions({"a": np.array([1, 2]), "b": np.array([[3, 4], [5, 6]])}, is_row=True)
    assert body.decode() == (
        '{\n    "predictions": [\n        {\n            "a": 1,\n            "b": [3, 4]\n        },\n'
        '        {\n            "a": 2,\n            "b": [5, 6]\n        }\n    ]\n}'
    )


def test_columns_have_a_line_for_each_element():
    body = write_predictions({"y": np.array([[1, 2], [3, 4]])}, is_row=False)
    assert body.decode() == (
        '{\n    "outputs": [\n        [\n            1,\n            2\n        ],\n'
        "        [\n            3,\n            4\n        ]\n    ]\n}"
    )


def test_base64_is_indented_by_what_is_around_it():
    body = write_predictions({"y_bytes": strings(b"a", b"b").reshape(2, 1)}, is_row=True)
    start, end = '[{\n                "b64": "', '"\n            }]'
    assert body.decode() == f'{{\n    "predictions": [{start}YQ=={end}, {start}Yg=={end}\n    ]\n}}'
    body = write_predictions({"y_bytes": strings(b"a")}, is_row=False)
    assert body.decode() == ('{\n    "outputs": [\n        {\n            "b64": "YQ=="\n        }\n    ]\n}')


@pytest.mark.parametrize(
    ("dtype", "name"), [(np.float16, "half"), (ml_dtypes.bfloat16, "bfloat16"), (np.complex64, "complex64")]
)
@pytest.mark.parametrize("is_row", [True, False])
def test_a_dtype_without_a_form_in_json_is_refused(dtype, name, is_row):
    assert refusal(is_row, y=np.zeros(2, dtype)) == f"Failed to write JSON value for tensor type: {name}"


def test_an_output_without_rows_is_refused_in_rows():
    assert refusal(True, a=np.array([1]), b=np.array(1)) == "Tensor name: b has no shape information "


def test_outputs_of_different_batches_are_refused_in_rows():
    assert refusal(True, a=np.zeros(2), b=np.zeros((3, 1))) == (
        "Tensor name: b has inconsistent batch size: 3 expecting: 2"
    )


def test_no_outputs_at_all_are_refused():
    for is_row in (True, False):
        assert refusal(is_row) == "Cannot convert empty tensor map to JSON"
