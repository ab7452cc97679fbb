import json

import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import input_pb2

from serving.core.examples import serialize_examples
from serving.errors import InvalidRequestError
from serving.rest.json_examples import read_examples, write_classes, write_values
from serving.rest.json_reader import read_object


def read(body: str):
    return read_examples(read_object(body.encode()))[1]


def refusal(body: str) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        read(body)
    return str(caught.value)


def feature_refusal(content: str) -> str:
    messages = {refusal(f'{{"examples": [{{}}, {{"f": {content}}}]}}'), refusal(f'{{"context": {{"f": {content}}}}}')}
    [message] = messages
    return message


def test_features_are_typed_by_their_json():
    wanted = """example_list {
      examples { features {
        feature { key: "float" value { float_list { value: 1.5 value: 100 } } }
        feature { key: "int" value { int64_list { value: -1 } } }
        feature { key: "bool" value { int64_list { value: 1 value: 0 value: 7 } } }
        feature { key: "text" value { bytes_list { value: "a" value: "\\377" } } }
        feature { key: "none" value { } }
      } }
      examples { features { feature { key: "int" value { int64_list { value: 9223372036854775807 } } } } }
      examples { }
    }"""
    body = """{"examples": [
        {"float": [1.5, 1e2], "int": -1, "bool": [true, false, 7], "text": ["a", {"b64": "/w=="}], "none": []},
        {"int": [9223372036854775807]},
        {}
    ]}"""
    assert read(body) == text_format.Parse(wanted, input_pb2.Input())


def test_a_whole_number_and_a_decimal_one_differ():
    message = read('{"examples": [{"a": 1, "b": 1.0}]}')
    features = message.example_list.examples[0].features.feature
    assert [features[name].WhichOneof("kind") for name in "ab"] == ["int64_list", "float_list"]


def test_a_context_is_shared_by_all_examples():
    message = read('{"context": {"c": "shared"}, "examples": [{"x": 1}, {}]}')
    assert message.WhichOneof("kind") == "example_list_with_context"
    shared = message.example_list_with_context
    assert shared.context.features.feature["c"].bytes_list.value == [b"shared"]
    assert len(shared.examples) == 2
    assert all(b"shared" in serialized for serialized in serialize_examples(message))


def test_examples_without_features_are_examples():
    assert len(serialize_examples(read('{"examples": [{}, {}]}'))) == 2
    assert len(serialize_examples(read('{"context": {}, "examples": [{}]}'))) == 1


@pytest.mark.parametrize(("given", "wanted"), [("", "serving_default"), ('"signature_name": "s", ', "s")])
def test_the_signature_is_named_or_the_default(given, wanted):
    assert read_examples(read_object(f'{{{given}"examples": [{{}}]}}'.encode()))[0] == wanted


def test_numbers_beyond_their_type_become_what_rapidjson_makes_of_them():
    message = read('{"examples": [{"a": [1e300, 18446744073709551616], "b": "\\u00e9"}]}')
    features = message.example_list.examples[0].features.feature
    assert features["a"].float_list.value == [np.inf, np.float32(2**64)]
    assert features["b"].bytes_list.value == ["é".encode()]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "{}",
            "JSON Value: {} When method is classify, key 'examples' is expected and was not found",
        ),
        ('{"examples": {}}', "JSON Value: {\n    \"examples\": {}\n} Expecting 'examples' value to be an list/array"),
        (
            '{"examples": null}',
            "JSON Value: {\n    \"examples\": null\n} Expecting 'examples' value to be an list/array",
        ),
        ('{"examples": []}', "JSON Value: {\n    \"examples\": []\n} 'examples' value is an empty array"),
        ('{"examples": [{}, 1]}', "Example must be JSON object but got JSON Number"),
        ('{"examples": [[]]}', "Example must be JSON object but got JSON Array"),
        ('{"context": "c", "examples": [{}]}', "Example must be JSON object but got JSON String"),
        (
            '{"signature_name": 1, "examples": [{}]}',
            'JSON Value: {\n    "signature_name": 1,\n    "examples": [{}]\n} not formatted correctly. '
            "'signature_name' key must be a string value.",
        ),
    ],
)
def test_a_document_of_another_form_is_refused(body, message):
    assert refusal(body) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[1, "a"]', "Unexpected element type in feature: f expecting type: int64"),
        ("[1, 1.5]", "Unexpected element type in feature: f expecting type: int64"),
        ("[1.5, 1]", "Unexpected element type in feature: f expecting type: float"),
        ("[1.5, true]", "Unexpected element type in feature: f expecting type: float"),
        ('["a", 1]', "Unexpected element type in feature: f expecting type: bytes"),
        ('[1.5, {"b64": ""}]', "Unexpected element type in feature: f expecting type: float"),
        ("[9223372036854775808]", "Feature: f has uint64_t element. Only int64_t is supported."),
        ("null", "Feature: f has element with unexpected JSON type: Null"),
        ("[1, null]", "Feature: f has element with unexpected JSON type: Null"),
        ("[[1]]", "Feature: f has element with unexpected JSON type: Array"),
        ('{"c": 1}', "Feature: f has element with unexpected JSON type: Object"),
        ('{"b64": 1}', "Feature: f has element with unexpected JSON type: Object"),
        ('{"b64": "?"}', "Unable to base64 decode"),
    ],
)
def test_a_feature_of_another_form_is_refused(content, message):
    assert feature_refusal(content) == message


def test_names_that_are_not_unicode_do_no_harm():
    assert "Feature: ??? has element" in refusal('{"examples": [{"\\udc80": null}]}')
    features = read('{"examples": [{"\\udc80": 1}]}').example_list.examples[0].features.feature
    assert features["???"].int64_list.value == [1]


def test_the_last_of_equal_features_counts_and_those_before_are_judged():
    features = read('{"examples": [{"f": 1, "f": ["a", "b"], "g": 2}]}').example_list.examples[0].features.feature
    assert features["f"].WhichOneof("kind") == "bytes_list"
    assert features["f"].bytes_list.value == [b"a", b"b"]
    assert "unexpected JSON type: Null" in refusal('{"examples": [{"f": null, "f": 1}]}')


def test_classes_are_pairs_of_label_and_score():
    body = write_classes([[("", 3.0), ('한"', 1 / 3)], [("b", float("nan"))]])
    assert body.decode() == '{\n    "results": [[["", 3.0], ["한\\"", 0.333333343]], [["b", NaN]]\n    ]\n}'
    assert json.loads(write_classes([[], []])) == {"results": [[], []]}


def test_values_are_a_list():
    assert write_values([3.0, -0.5, float("inf")]) == b'{\n    "results": [3.0, -0.5, Infinity]\n}'
    assert json.loads(write_values([1e6, 0.2])) == {"results": [1000000.0, 0.2]}
