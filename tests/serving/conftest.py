"""Servers on free ports of 127.0.0.1, with the official stubs in front of them."""

import contextlib
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models

QUICK = {
    "port": 0,
    "poll_seconds": 0.05,
    "load_retry_seconds": 0.2,
    "max_load_retry_seconds": 0.4,
    "grace_seconds": 5.0,
    "rest": {"port": 0},
}


class Stub:
    """The official stubs, with requests built from plain values."""

    def __init__(self, address: str, name: str) -> None:
        self.name = name
        self.channel = grpc.insecure_channel(address)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def request(self, signature: str = "", version: int | None = None, name: str | None = None, filter=(), **inputs):
        request = predict_pb2.PredictRequest(output_filter=filter)
        request.model_spec.name = self.name if name is None else name
        request.model_spec.signature_name = signature
        if version is not None:
            request.model_spec.version.value = version
        for alias, value in inputs.items():
            is_proto = hasattr(value, "SerializeToString")
            request.inputs[alias].CopyFrom(value if is_proto else tf.make_tensor_proto(value))
        return request

    def predict(self, signature: str = "", timeout: float = 15.0, **options):
        return self.prediction.Predict(self.request(signature, **options), timeout=timeout)

    def y(self, *xs: float, **options):
        """The `y` of a line model, as a list."""
        return tf.make_ndarray(self.predict(x=[float(x) for x in xs], **options).outputs["y"]).tolist()

    def status(self, version: int | None = None, name: str | None = None):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self.name if name is None else name
        if version is not None:
            request.model_spec.version.value = version
        return list(self.model.GetModelStatus(request, timeout=10).model_version_status)

    def states(self) -> dict[int, str]:
        names = get_model_status_pb2.ModelVersionStatus.State
        try:
            return {entry.version: names.Name(entry.state) for entry in self.status()}
        except grpc.RpcError:
            return {}

    def metadata(self, *fields: str, name: str | None = None):
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = self.name if name is None else name
        return self.prediction.GetModelMetadata(request, timeout=10)


@contextlib.contextmanager
def refused(code: grpc.StatusCode, message: str | None = None):
    """The call inside has to fail with this code and, when given, exactly this message."""
    with pytest.raises(grpc.RpcError) as caught:
        yield caught
    assert (caught.value.code(), caught.value.details()) == (
        code,
        caught.value.details() if message is None else message,
    )


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Path:
    """Folder of exported models: lines, text, transform, shapes."""
    folder = tmp_path_factory.mktemp("exported")
    for offset in (1, 2, 3):
        saved_models.save_line(folder / f"line{offset}", offset=float(offset))
    saved_models.save_text_classifier(folder / "text")
    saved_models.save_transformer(folder / "transform")
    saved_models.save_shapes(folder / "shapes")
    return folder


@pytest.fixture
def base(tmp_path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def serve(base):
    """Starts a server on `base`; gives server and stub. Keyword arguments are settings."""
    with contextlib.ExitStack() as stack:

        def start(wait: bool = True, folder: Path = base, name: str = "m", **settings):
            server = Server(name, folder, ServingSettings(**{**QUICK, **settings}))
            stack.enter_context(server)
            if wait:
                server.wait_until_available(20)
            stub = Stub(server.address, name)
            stack.callback(stub.channel.close)
            return server, stub

        yield start


def serve_once(tmp_path_factory, source: Path, **settings):
    """A server for a whole module of read-only tests."""
    base = tmp_path_factory.mktemp("base")
    saved_models.publish(source, base, 1)
    with Server("m", base, ServingSettings(**{**QUICK, **settings})) as server:
        server.wait_until_available(20)
        stub = Stub(server.address, "m")
        yield stub
        stub.channel.close()


@pytest.fixture(scope="module")
def line(exported, tmp_path_factory):
    """Stub of a server of half_plus_two as version 1."""
    yield from serve_once(tmp_path_factory, exported / "line2")


@pytest.fixture(scope="module")
def shapes(exported, tmp_path_factory):
    """Stub of a server of the shapes model."""
    yield from serve_once(tmp_path_factory, exported / "shapes")


def eventually(condition, timeout: float = 10.0) -> None:
    """Waits until a condition holds; fails the test when it never does."""
    import time

    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.02)
