"""GetModelMetadata and GetModelStatus as a client of TensorFlow Serving sees them."""

import grpc
import pytest
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def test_metadata_holds_all_signatures(shapes):
    response = shapes.metadata("signature_def")
    assert (response.model_spec.name, response.model_spec.version.value) == ("m", 1)
    assert response.model_spec.signature_name == ""
    assert list(response.metadata) == ["signature_def"]
    packed = response.metadata["signature_def"]
    assert packed.type_url == "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    signatures = get_model_metadata_pb2.SignatureDefMap()
    packed.Unpack(signatures)
    assert {"serving_default", "total", "root", "add", "scalar", "constant"} <= set(signatures.signature_def)
    assert set(signatures.signature_def["add"].inputs) == {"a", "b"}


def test_metadata_without_model_spec_is_refused(line):
    with refused(INVALID, "Missing ModelSpec"):
        line.prediction.GetModelMetadata(get_model_metadata_pb2.GetModelMetadataRequest(), timeout=10)


def test_metadata_without_field_is_refused(line):
    with refused(INVALID, "GetModelMetadataRequest must specify at least one metadata_field"):
        line.metadata()


def test_metadata_of_an_unknown_field_is_refused(line):
    with refused(INVALID, "Metadata field size is not supported"):
        line.metadata("signature_def", "size")


def test_metadata_of_an_unknown_model_is_not_found(line):
    with refused(NOT_FOUND, "Servable not found for request: Latest(other)"):
        line.metadata("signature_def", name="other")


def test_status_of_a_served_version(line):
    (entry,) = line.status()
    assert (entry.version, entry.state) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE)
    assert (entry.status.error_code, entry.status.error_message) == (0, "")
    assert line.status(version=1) == [entry]


def test_status_without_model_spec_is_refused(line):
    with refused(INVALID, "Missing ModelSpec"):
        line.model.GetModelStatus(get_model_status_pb2.GetModelStatusRequest(), timeout=10)


def test_status_of_an_unknown_version_is_not_found(line):
    with refused(NOT_FOUND, "Could not find version 7 of model m"):
        line.status(version=7)


@pytest.mark.parametrize("name", ["other", ""])
def test_status_of_an_unknown_model_is_not_found(line, name):
    with refused(NOT_FOUND, f"Could not find any versions of model {name}"):
        line.status(name=name)


def test_status_ignores_a_label(line):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "m"
    request.model_spec.version_label = "stable"
    assert len(line.model.GetModelStatus(request, timeout=10).model_version_status) == 1


def test_status_lists_every_version_ever_seen_highest_first(serve, base, exported):
    saved_models.publish(exported / "line1", base, 9)
    _, stub = serve()
    saved_models.publish(exported / "line2", base, 10)
    eventually(lambda: stub.states() == {10: "AVAILABLE", 9: "END"})
    assert [entry.version for entry in stub.status()] == [10, 9]
