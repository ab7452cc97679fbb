"""The client and the official stubs in front of a server that notes the bytes of each request."""

from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.client import Client


class _Recorder(grpc.GenericRpcHandler):
    def __init__(self):
        self.seen: list[tuple[str, bytes]] = []

    def service(self, details):
        def note(request: bytes, context) -> bytes:
            self.seen.append((details.method, request))
            return b""

        return grpc.unary_unary_rpc_method_handler(note)


@pytest.fixture(scope="module")
def recorder():
    recorder = _Recorder()
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[recorder])
    recorder.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield recorder
    server.stop(0)


@pytest.fixture
def compare(recorder):
    """Asserts that a call of the client sends what the official stub sends for a request."""
    with grpc.insecure_channel(recorder.address) as channel:
        stubs = (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )

        def check(call, method: str, request, **choice):
            with Client(recorder.address, "m", **choice) as client:
                call(client)
            (stub,) = (stub for stub in stubs if hasattr(stub, method))
            getattr(stub, method)(request, timeout=5)
            ours, theirs = recorder.seen[-2:]
            assert ours == theirs

        yield check


def _spec(request, version=None, label="", signature=""):
    request.model_spec.name = "m"
    request.model_spec.signature_name = signature
    if version is not None:
        request.model_spec.version.value = version
    if label:
        request.model_spec.version_label = label
    return request


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (["a", "é", ""], tf.string),
        ("one", tf.string),
        (np.float32([[1, 2], [3, 4]]), tf.float32),
        (np.float32(1), tf.float32),
        (np.zeros((0, 3)), tf.float64),
        ([True, False], tf.bool),
        ([1, 2], tf.int64),
        ([1.5], tf.float32),
    ],
    ids=str,
)
def test_predict(compare, value, dtype):
    request = _spec(predict_pb2.PredictRequest(output_filter=["y", "z"]), signature="s")
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(value, dtype))
    compare(lambda client: client.predict({"x": value}, "s", output_filter=["y", "z"]), "Predict", request)


def test_several_inputs_go_in_the_order_of_their_names(recorder):
    request = _spec(predict_pb2.PredictRequest())
    names = [f"input{index}" for index in range(20)]
    for name in names:
        request.inputs[name].CopyFrom(tf.make_tensor_proto([1.0, 2.0]))
    with Client(recorder.address, "m") as client:
        client.predict({name: [1.0, 2.0] for name in reversed(names)})
    assert recorder.seen[-1][1] == request.SerializeToString(deterministic=True)


@pytest.mark.parametrize("choice", [{"version": 3}, {"version": 0}, {"label": "stable"}, {}], ids=str)
def test_version_and_label(compare, choice):
    compare(lambda client: client.predict({}), "Predict", _spec(predict_pb2.PredictRequest(), **choice), **choice)
    compare(
        lambda client: client.at(**choice).status(),
        "GetModelStatus",
        _spec(get_model_status_pb2.GetModelStatusRequest(), **choice),
    )


def test_a_version_of_the_call_wins(compare):
    request = _spec(predict_pb2.PredictRequest(), version=5)
    compare(lambda client: client.predict({}, version=5), "Predict", request, label="stable")
    compare(lambda client: client.predict({}, version=5), "Predict", request, version=4)


def test_another_model(compare):
    request = _spec(predict_pb2.PredictRequest())
    request.model_spec.name = "other"
    compare(lambda client: client.at(model_name="other").predict({}), "Predict", request, version=4)


def test_metadata(compare):
    request = _spec(get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"]), version=2)
    compare(lambda client: client.metadata(version=2), "GetModelMetadata", request)


def _examples(target):
    for text in ("a", "b"):
        target.examples.add().features.feature["text"].bytes_list.value.append(text.encode())


@pytest.mark.parametrize(
    ("method", "kind"),
    [("Classify", classification_pb2.ClassificationRequest), ("Regress", regression_pb2.RegressionRequest)],
)
def test_classify_and_regress(compare, method, kind):
    request = _spec(kind(), signature="s")
    _examples(request.input.example_list)
    features = [{"text": "a"}, {"text": ["b"]}]
    compare(lambda client: getattr(client, method.lower())(features, "s"), method, request)


def test_examples_with_context(compare):
    request = _spec(classification_pb2.ClassificationRequest())
    _examples(request.input.example_list_with_context)
    request.input.example_list_with_context.context.features.feature["n"].int64_list.value.append(7)
    features = [{"text": "a"}, {"text": "b"}]
    compare(lambda client: client.classify(features, context={"n": 7}), "Classify", request)


def test_multi_inference(recorder):
    request = inference_pb2.MultiInferenceRequest()
    for signature, method in (("c", "classify"), ("r", "regress")):
        _spec(request.tasks.add(method_name=f"tensorflow/serving/{method}"), signature=signature)
    _examples(request.input.example_list)
    with Client(recorder.address, "m") as client, pytest.raises(ValueError):  # the recorder answers no task
        client.multi_inference([{"text": "a"}, {"text": "b"}], classify=["c"], regress=["r"])
    assert recorder.seen[-1] == (
        "/tensorflow.serving.PredictionService/MultiInference",
        request.SerializeToString(),
    )
