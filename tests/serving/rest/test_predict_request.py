import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import InvalidRequestError, NotSupportedError
from serving.rest.json_reader import read_object
from serving.rest.predict_request import read_predict


def signatures(name="serving_default", **dtypes: str):
    signature = meta_graph_pb2.SignatureDef()
    for alias, dtype in dtypes.items():
        signature.inputs[alias].dtype = types_pb2.DataType.Value(f"DT_{dtype.upper()}")
    return {name: signature}


def read(body: str, **dtypes: str):
    return read_predict(read_object(body.encode()), signatures(**dtypes)).inputs


def refusal(body: str, kind=InvalidRequestError, **dtypes: str) -> str:
    with pytest.raises(kind) as caught:
        read(body, **dtypes)
    assert type(caught.value) is kind
    return str(caught.value)


def same(array: np.ndarray, wanted: np.ndarray) -> None:
    assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(array, wanted)


ROW_SHAPES = [
    ("[3]", [3]),
    ("[1, 2.5]", [1, 2.5]),
    ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    ("[[[1], [2]], [[3], [4]]]", [[[1], [2]], [[3], [4]]]),
    ("[[], []]", [[], []]),
    ("[[[], []]]", [[[], []]]),
]


@pytest.mark.parametrize(("rows", "wanted"), ROW_SHAPES)
def test_rows_of_one_input_are_stacked(rows, wanted):
    same(read(f'{{"instances": {rows}}}', x="float")["x"], np.array(wanted, np.float32))


@pytest.mark.parametrize(("rows", "wanted"), ROW_SHAPES)
def test_the_only_input_may_be_named_in_each_row(rows, wanted):
    named = [f'{{"x": {row}}}' for row in map(str, wanted)]
    same(read(f'{{"instances": [{", ".join(named)}]}}', x="float")["x"], np.array(wanted, np.float32))


@pytest.mark.parametrize(("value", "wanted"), [*ROW_SHAPES, ("5", 5), ("[]", []), ("[[[[7]]]]", [[[[7]]]])])
def test_a_column_is_the_value_itself(value, wanted):
    for body in (f'{{"inputs": {value}}}', f'{{"inputs": {{"x": {value}}}}}'):
        same(read(body, x="float")["x"], np.array(wanted, np.float32))


def test_rows_of_several_inputs_are_objects():
    body = '{"instances": [{"a": 1, "b": [true, false], "c": "x"}, {"c": {"b64": "eQ=="}, "b": [true, true], "a": -2}]}'
    inputs = read(body, a="int32", b="bool", c="string")
    same(inputs["a"], np.array([1, -2], np.int32))
    same(inputs["b"], np.array([[True, False], [True, True]]))
    same(inputs["c"], np.array([b"x", b"y"], object))


def test_columns_of_several_inputs_need_no_common_batch_and_surplus_ones_are_ignored():
    inputs = read('{"inputs": {"a": 1, "b": [[1.5], [2]], "other": {"deep": null}}}', a="int64", b="double")
    assert list(inputs) == ["a", "b"]
    same(inputs["a"], np.array(1, np.int64))
    same(inputs["b"], np.array([[1.5], [2]], np.float64))


def test_the_answer_goes_the_way_the_request_came():
    for body, is_row in ((b'{"instances": [1]}', True), (b'{"inputs": [1]}', False)):
        assert read_predict(read_object(body), signatures(x="float")).is_row is is_row


def test_unknown_keys_are_ignored():
    same(read('{"instances": [1], "output_filter": ["y"]}', x="float")["x"], np.array([1], np.float32))


def test_the_signature_named_is_read():
    for body, name in (('{"instances": [1]}', "serving_default"), ('{"instances": [1], "signature_name": "s"}', "s")):
        call = read_predict(read_object(body.encode()), signatures(x="float") | signatures("s", x="int32"))
        assert call.signature_name == name
        assert call.inputs["x"].dtype == (np.float32 if name != "s" else np.int32)


@pytest.mark.parametrize(
    ("dtype", "values", "wanted"),
    [
        ("float", "[1, 1.5, 16777217]", np.array([1, 1.5, 16777216], np.float32)),
        ("float", "[1e39, -1e39, 1e-50]", np.array([np.inf, -np.inf, 0], np.float32)),
        ("float", "[NaN, Infinity, -Inf]", np.array([np.nan, np.inf, -np.inf], np.float32)),
        ("double", "[1, 1e308, 18446744073709551616]", np.array([1, 1e308, 2.0**64])),
        ("int8", "[-128, 127, 300]", np.array([-128, 127, 44], np.int8)),
        ("uint8", "[0, 255, -1]", np.array([0, 255, 255], np.uint8)),
        ("int16", "[-32768, 32767]", np.array([-32768, 32767], np.int16)),
        ("int32", "[-2147483648, 2147483647]", np.array([-(2**31), 2**31 - 1], np.int32)),
        ("int64", "[-9223372036854775808, 9223372036854775807]", np.array([-(2**63), 2**63 - 1], np.int64)),
        ("uint32", "[0, 4294967295]", np.array([0, 2**32 - 1], np.uint32)),
        ("uint64", "[0, 18446744073709551615]", np.array([0, 2**64 - 1], np.uint64)),
        ("bool", "[true, false]", np.array([True, False])),
        ("string", '["", "\\u00e9", "한"]', np.array([b"", "é".encode(), "한".encode()], object)),
        ("string", '["\\ude00", "\\ud83d\\ude00"]', np.array([b"\xed\xb8\x80", "😀".encode()], object)),
        ("string", '[{"b64": "YQ.."}, {"b64": "YQ.="}, {"b64": "YQ"}]', np.array([b"a"] * 3, object)),
        ("string", '[{"b64": "YQ==", "b64": 1}]', np.array([b"a"], object)),
        ("string", '[{"b64": "AP/+"}, {"b64": ""}, {"b64": "Y Q"}]', np.array([b"\x00\xff\xfe", b"", b"a"], object)),
    ],
)
def test_each_dtype_takes_its_values(dtype, values, wanted):
    same(read(f'{{"instances": {values}}}', x=dtype)["x"], wanted)
    same(read(f'{{"inputs": {values}}}', x=dtype)["x"], wanted)


@pytest.mark.parametrize("body", ['{"instances": [{"b64": "aGk="}]}', '{"instances": [{"x": {"b64": "aGk="}}]}'])
def test_base64_stands_for_bytes_in_rows(body):
    same(read(body, x="string")["x"], np.array([b"hi"], object))


@pytest.mark.parametrize("body", ['{"inputs": {"b64": "aGk="}}', '{"inputs": {"x": {"b64": "aGk="}}}'])
def test_base64_stands_for_bytes_in_columns(body):
    same(read(body, x="string")["x"], np.array(b"hi", object))


@pytest.mark.parametrize(
    ("dtype", "value", "echoed", "type_name"),
    [
        ("float", '"1"', '"1"', "String"),
        ("float", "null", "null", "Null"),
        ("double", "true", "true", "True"),
        ("int32", "1.0", "1.0", "Number"),
        ("int32", "2147483648", "2147483648", "Number"),
        ("int8", "2147483648", "2147483648", "Number"),
        ("int64", "9223372036854775808", "9223372036854775808", "Number"),
        ("int64", "false", "false", "False"),
        ("uint32", "-1", "-1", "Number"),
        ("uint64", "18446744073709551616", "18446744073709552000.0", "Number"),
        ("bool", "1", "1", "Number"),
        ("string", "1", "1", "Number"),
        ("string", "null", "null", "Null"),
        *((dtype, '{"b64": "aGk="}', '{\n    "b64": "aGk="\n}', "Object") for dtype in ("float", "half", "uint16")),
    ],
)
def test_a_value_of_another_type_is_refused(dtype, value, echoed, type_name):
    complaint = f"JSON Value: {echoed} Type: {type_name} is not of expected type: {dtype}"
    assert refusal(f'{{"inputs": {value}}}', x=dtype) == complaint
    assert refusal(f'{{"instances": [{value}]}}', x=dtype) == (
        f"Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: {complaint}"
    )
    assert refusal(f'{{"instances": [{{"x": {value}}}]}}', x=dtype) == (
        f"Failed to process element: 0 key: x of 'instances' list. Error: INVALID_ARGUMENT: {complaint}"
    )


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "complex64", "uint16"])
@pytest.mark.parametrize(("value", "first"), [("[[1.5], [2]]", "1.5"), ("[null]", "null"), ('"a"', '"a"')])
def test_a_dtype_without_a_form_in_json_is_not_supported(dtype, value, first):
    complaint = f"Conversion of JSON Value: {first} to type: {dtype}"
    assert refusal(f'{{"inputs": {value}}}', NotSupportedError, x=dtype) == complaint
    assert refusal(f'{{"instances": [{value}]}}', x=dtype) == (
        f"Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: {complaint}"
    )


@pytest.mark.parametrize("dtype", ["half", "bfloat16", "complex64", "uint16"])
def test_no_elements_of_such_a_dtype_are_a_tensor(dtype):
    for body, shape in (('{"inputs": []}', (0,)), ('{"instances": [[], []]}', (2, 0))):
        array = read(body, x=dtype)["x"]
        assert (array.dtype, array.shape) == (tf.as_dtype(dtype).as_numpy_dtype, shape)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("[[1, 2], [3]]", "Encountered list at unexpected size: 1 at level: 1 expected size: 2"),
        ("[[1], [[2]]]", "Encountered list at unexpected level: 2 expected < 2"),
        ("[1, [2]]", "Encountered list at unexpected level: 1 expected < 1"),
        ("[[1], 2]", "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ("[[1, null], [3]]", "JSON Value: null Type: Null is not of expected type: float"),
        ("[[], [3]]", "Encountered list at unexpected size: 1 at level: 1 expected size: 0"),
    ],
)
def test_lists_that_are_no_rectangle_are_refused(value, complaint):
    assert refusal(f'{{"inputs": {value}}}', x="float") == complaint
    assert refusal(f'{{"instances": [{value}]}}', x="float") == (
        f"Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: {complaint}"
    )


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("[[1, 2], [3]]", "Expecting tensor size: 2 but got: 1"),
        ("[[], [3]]", "Expecting tensor size: 0 but got: 1"),
        ("[[[1], [2]], [[3, 4]]]", "Expecting shape [2,1] but got: [1,2]"),
        ("[1, [3]]", "Expecting shape [] but got: [1]"),
        ("[1, [3, 4]]", "Expecting tensor size: 1 but got: 2"),
    ],
)
def test_rows_of_different_shapes_are_refused(rows, complaint):
    assert refusal(f'{{"instances": {rows}}}', x="float") == (
        f"Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: {complaint}"
    )


@pytest.mark.parametrize("text", ["a", "a===", "!!!!", "한글", "abcd=", "YQ=", "YQ===", "=", "YQ==YQ=="])
def test_text_that_is_not_base64_is_refused(text):
    body = f'{{"inputs": {{"b64": "{text}"}}}}'
    assert refusal(body, x="string") == "Unable to base64 decode"


@pytest.mark.parametrize("value", ['{"b64": 1}', '{"b64": "aGk=", "c": 1}', '{"c": "aGk="}'])
def test_an_object_that_is_not_base64_is_no_string(value):
    assert refusal(f'{{"inputs": {{"x": [{value}]}}}}', x="string").endswith(" not formatted correctly for base64 data")


DOCUMENT_ERRORS = [
    ("{}", "Missing 'inputs' or 'instances' key"),
    (
        '{"instances": [1], "inputs": [1]}',
        'JSON Value: {\n    "instances": [1],\n    "inputs": [1]\n} Not formatted '
        "correctly expecting only one of 'inputs' or 'instances' keys to exist ",
    ),
    (
        '{"instances": [{"x": 1}, {"x": 2, "x": null, "y": 1}]}',
        "Failed to process element: 1 key: y of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: y",
    ),
    ('{"instances": 1}', "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array"),
    ('{"instances": []}', "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array"),
    ('{"inputs": {"y": 1}}', "Missing named input: x in 'inputs' object."),
    (
        '{"instances": [1], "signature_name": true}',
        'JSON Value: {\n    "instances": [1],\n    "signature_name": true\n} not formatted correctly. '
        "'signature_name' key must be a string value.",
    ),
    (
        '{"instances": [1], "signature_name": "other"}',
        'Serving signature name: "other" not found in signature def',
    ),
    ('{"instances": [{"x": 1}, 2]}', "Expecting object but got list at item 1 of input list"),
    ('{"instances": [{"x": 1}, {"b64": "aGk="}]}', "Expecting object but got list at item 1 of input list"),
    ('{"instances": [1, {"x": 2}]}', "Expecting value/list but got object at item 1 of input list"),
    (
        '{"instances": [{"x": 1, "y": 2}]}',
        "Failed to process element: 0 key: y of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: y",
    ),
    (
        '{"instances": [{"x": 1}, {}]}',
        "Failed to process element: 1 of 'instances' list. JSON object: {} keys must be equal to: x",
    ),
]


@pytest.mark.parametrize(("body", "message"), DOCUMENT_ERRORS)
def test_a_document_of_another_form_is_refused(body, message):
    assert refusal(body, x="float") == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '{"instances": [1]}',
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map",
        ),
        (
            '{"inputs": [1]}',
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
            "tensorinfo_map",
        ),
        ('{"inputs": {"b": 1}}', "Missing named input: a in 'inputs' object."),
        (
            '{"instances": [{"a": 1, "b": 2}, {"b": 1}]}',
            "Failed to process element: 1 of 'instances' list. JSON object: {\n    \"b\": 1\n} keys must be equal to: "
            "a,b",
        ),
        (
            '{"instances": [{"a": 1, "b": [2]}, {"a": 1, "b": [2, 3]}]}',
            "Failed to process element: 1 key: b of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting tensor size: 1 but got: 2",
        ),
    ],
)
def test_several_inputs_must_all_be_named(body, message):
    assert refusal(body, a="float", b="float") == message


@pytest.mark.parametrize(("given", "shown"), [("", "DEFAULT"), ("serving_default", "serving_default")])
def test_a_signature_without_inputs_cannot_be_asked(given, shown):
    body = f'{{"instances": [1], "signature_name": "{given}"}}'
    assert refusal(body) == f"Failed to get input map for signature: {shown}"


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_more_dimensions_than_an_array_has_are_refused(key):
    body = f'{{"{key}": {"[" * 70}1{"]" * 70}}}'
    assert refusal(body, x="float") == "A tensor has at most 63 dimensions, got 70 nested lists"


def test_deep_lists_inside_a_refused_value_do_no_harm():
    depth = 800
    body = f'{{"inputs": [[1], [{"[" * depth}{"]" * depth}]]}}'
    assert refusal(body, x="float") == "Encountered list at unexpected level: 2 expected < 2"


def test_names_that_are_not_unicode_are_shown_as_unicode():
    message = refusal('{"instances": [{"\\udc80": 1}]}', x="float")
    assert message.encode()
    assert "does not have named input: ???" in message
