"""The table of messages against the official modules."""

import pytest
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.wire import messages
from serving.wire.schema import SERVING, TENSORFLOW

_MODULES = (
    predict_pb2,
    classification_pb2,
    regression_pb2,
    inference_pb2,
    get_model_status_pb2,
    get_model_metadata_pb2,
    example_pb2,
)
# What no client needs. A field that TensorFlow adds has to be thought about, so each is named.
_LEFT_OUT = {
    "tensorflow.TensorProto": {"resource_handle_val", "variant_val", "float8_val"},
    "tensorflow.TensorInfo": {"coo_sparse", "composite_tensor"},
    "tensorflow.serving.PredictRequest": {"predict_streamed_options", "client_id", "request_options"},
    "tensorflow.serving.StatusProto": {"error_code"},
}


def _reachable(descriptor, found):
    if descriptor.full_name not in found:
        found[descriptor.full_name] = descriptor
        for field in descriptor.fields:
            if field.message_type:
                _reachable(field.message_type, found)


@pytest.fixture(scope="module")
def official():
    found = {}
    for module in _MODULES:
        for descriptor in module.DESCRIPTOR.message_types_by_name.values():
            _reachable(descriptor, found)
    return found


def _ours():
    found = {}
    for package, table in (("tensorflow", TENSORFLOW), ("tensorflow.serving", SERVING)):
        for name, entries in table.items():
            if not all(isinstance(entry, int) for entry in entries.values()):
                _reachable(messages.POOL.FindMessageTypeByName(f"{package}.{name}"), found)
    return found


def _facts(field):
    return {
        "number": field.number,
        "type": field.type,
        "repeated": field.is_repeated,
        "packed": field.is_packed,
        "message": field.message_type and field.message_type.full_name,
        "is map": bool(field.message_type and field.message_type.GetOptions().map_entry),
        "enum": field.enum_type and field.enum_type.full_name,
        "oneof": field.containing_oneof and field.containing_oneof.name,
        "presence": field.has_presence,
    }


@pytest.mark.parametrize("name", _ours())
def test_fields_are_those_of_the_official_message(name, official):
    ours, theirs = _ours()[name].fields_by_name, official[name].fields_by_name
    assert {field: _facts(ours[field]) for field in ours} == {field: _facts(theirs[field]) for field in ours}
    assert set(theirs) - set(ours) == _LEFT_OUT.get(name, set())


@pytest.mark.parametrize("name", ["tensorflow.DataType", "tensorflow.serving.ModelVersionStatus.State"])
def test_enumerations_have_the_official_names_and_numbers(name):
    ours = messages.POOL.FindEnumTypeByName(name).values_by_name
    if name == "tensorflow.DataType":
        from tensorflow.core.framework import types_pb2

        theirs = types_pb2.DataType.DESCRIPTOR.values_by_name
    else:
        theirs = get_model_status_pb2.ModelVersionStatus.State.DESCRIPTOR.values_by_name
        assert set(ours) == set(theirs)
    assert {each: ours[each].number for each in ours} == {each: theirs[each].number for each in ours}


def test_fields_left_out_are_carried_along():
    request = predict_pb2.PredictRequest(client_id=b"me")
    assert messages.PredictRequest.FromString(request.SerializeToString()).SerializeToString() == b"\x32\x02me"
