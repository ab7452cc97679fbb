import threading
import time

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2

from serving.client import Client, ModelVersion, TextClass
from serving.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidRequestError,
    NoServerError,
    NotFoundError,
    ServingError,
    UnavailableError,
)
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, eventually


@pytest.fixture
def client(serve, base, exported):
    """Gives a client of one exported model."""
    made = []

    def connect(name: str = "line2", **settings) -> Client:
        saved_models.publish(exported / name, base, 1)
        server, _ = serve(**settings)
        made.append(Client(server.address, "m"))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def test_lists_and_arrays_go_in_and_arrays_come_out(client):
    line = client()
    assert line.predict({"x": [2, 4.0]})["y"].tolist() == [3, 4]
    outputs = line.predict({"x": np.float32([2, 4])}, output_filter=["y"])
    assert outputs["y"].dtype == np.float32
    assert list(outputs) == ["y"]


def test_arrays_keep_their_type(client):
    line = client()
    with pytest.raises(InvalidRequestError, match="float but double is provided"):
        line.predict({"x": np.array([2.0])})


def test_texts_are_classified(client):
    assert client("text").classify_texts(["good ☺", "bad"]) == [
        TextClass("pos", {"neg": 0.0, "pos": 1.0}),
        TextClass("neg", {"neg": 1.0, "pos": 0.0}),
    ]


def test_texts_are_transformed_as_text(client):
    answers = client("transform").transform_texts(["grüße", ""])
    assert [answer.score for answer in answers] == [-7.0, 0.0]
    assert answers[0].target.startswith("GRÜ")
    assert answers[1].target == ""


def test_no_texts_are_no_request():
    nobody = Client("127.0.0.1:1", "m")
    assert nobody.classify_texts([]) == []
    assert nobody.transform_texts([]) == []
    nobody.close()


@pytest.mark.parametrize(
    ("value", "message"),
    [(["a", 3], "got 3"), ([["a"], ["b", "c"]], "got"), ([[1], [2, 3]], "different lengths")],
)
def test_values_that_make_no_tensor_are_refused_before_they_are_sent(value, message):
    with Client("127.0.0.1:1", "m") as client, pytest.raises(InvalidRequestError, match=message):
        client.predict({"x": value})


def test_status_and_metadata_are_told(client):
    line = client()
    assert line.status() == [ModelVersion(1, "AVAILABLE", "")]
    assert line.status(version=1) == line.status()
    signature = line.metadata()["serving_default"]
    assert {name: info.dtype for name, info in signature.inputs.items()} == {"x": types_pb2.DT_FLOAT}
    assert [dim.size for dim in signature.outputs["y"].tensor_shape.dim] == [-1]
    assert signature.method_name == "tensorflow/serving/predict"


def test_versions_are_listed_by_state(serve, base, exported):
    for number in (1, 2, 3):
        saved_models.publish(exported / f"line{number}", base, number)
    (base / "3" / "saved_model.pb").write_bytes(b"broken")
    server, _ = serve(num_versions=0, wait=False)
    with Client(server.address, "m") as client:
        eventually(lambda: client.versions() == [2, 1])
        eventually(lambda: any(entry.error for entry in client.status()))
        assert client.status()[0].version == 3
        assert client.versions("UNLOADING") == []


@pytest.fixture
def labelled(serve, base, exported, tmp_path):
    """Address of a server with versions 1 to 3; 1 has the label stable, 2 canary."""
    for number in (1, 2, 3):
        saved_models.publish(exported / f"line{number}", base, number)
    config = tmp_path / "models.pbtxt"
    config.write_text(
        f'model_config_list {{config {{name: "m" base_path: "{base}" model_platform: "tensorflow" '
        "model_version_policy {all {}} "
        'version_labels {key: "stable" value: 1} version_labels {key: "canary" value: 2}}}'
    )
    server, stub = serve(models={"config_file": str(config)})
    eventually(lambda: stub.states() == dict.fromkeys((1, 2, 3), "AVAILABLE"))
    return server.address


def _offset(client: Client, **options) -> float:
    return client.predict({"x": [0.0]}, **options)["y"].item()


def test_a_client_asks_the_version_or_label_it_was_told(labelled):
    with Client(labelled, "m") as client:
        assert _offset(client) == 3
        assert _offset(client.at(version=1)) == 1
        assert _offset(client.at(label="canary")) == 2
        assert _offset(client.at(label="canary"), version=3) == 3
        assert _offset(client.at(version=1).at()) == 3
        with pytest.raises(InvalidRequestError, match="^Unrecognized servable version label: old$"):
            _offset(client.at(label="old"))
    with Client(labelled, "m", label="stable") as stable, Client(labelled, "m", version=2) as second:
        assert (_offset(stable), _offset(second)) == (1, 2)
        assert [entry.version for entry in second.status()] == [2]


def test_version_and_label_together_are_refused():
    with pytest.raises(ValueError, match="version 1 and label 'stable'"):
        Client("127.0.0.1:1", "m", version=1, label="stable")
    with Client("127.0.0.1:1", "m") as client, pytest.raises(ValueError, match="drop one"):
        client.at(version=1, label="stable")


def test_a_unix_socket_is_an_address(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    serve(grpc_socket_path=str(tmp_path / "socket"))
    with Client(f"unix:{tmp_path / 'socket'}", "m") as client:
        assert _offset(client) == 2


def test_refusals_come_as_errors_by_meaning(client):
    line = client()
    with pytest.raises(NotFoundError, match="Specific\\(m, 5\\)"):
        line.predict({"x": [1.0]}, version=5)
    with pytest.raises(FailedPreconditionError, match="not found"):
        line.predict({"x": [1.0]}, signature_name="other")


def test_when_no_server_answers_the_error_says_how_to_start_one():
    with Client("127.0.0.1:1", "m", retry_seconds=0.2) as client, pytest.raises(NoServerError) as caught:
        client.predict({"x": [1.0]})
    assert "127.0.0.1:1" in str(caught.value)
    assert "python -m serving" in str(caught.value)
    assert "--model_name=m" in str(caught.value)


def test_a_server_that_comes_a_little_later_is_waited_for(base, exported):
    saved_models.publish(exported / "line2", base, 1)
    with Server("m", base, ServingSettings(**QUICK)) as first:
        port = first.port
    server = Server("m", base, ServingSettings(**{**QUICK, "port": port}))
    timer = threading.Timer(0.7, server.start)
    timer.start()
    try:
        with Client(f"127.0.0.1:{port}", "m", retry_seconds=10) as client:
            eventually(lambda: bool(_status_or_nothing(client)))
            assert client.status()[0].version == 1
    finally:
        timer.join()
        server.stop()


def _status_or_nothing(client: Client):
    try:
        return client.status()
    except NotFoundError:  # the port opens before the first version is seen
        return []


def test_a_full_queue_is_tried_again(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server, stub = serve(batching={"num_batch_threads": 1, "max_batch_size": 1, "max_enqueued_batches": 1})
    running = stub.prediction.Predict.future(stub.request(x=[0.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    waiting = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    eventually(lambda: len(server._runner._waiting) == 1)
    with Client(server.address, "m", retry_seconds=0.2) as hasty, pytest.raises(UnavailableError, match="queue"):
        hasty.predict({"x": [2.0]})
    threading.Timer(0.5, gate.open.set).start()
    with Client(server.address, "m", retry_seconds=10) as patient:
        assert patient.predict({"x": [2.0]})["y"].tolist() == [2]
    assert running.result(10) and waiting.result(10)


def test_the_deadline_of_a_call_ends_it(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server, _ = serve()
    started = time.monotonic()
    with Client(server.address, "m") as client, pytest.raises(DeadlineExceededError):
        client.predict({"x": [2.0]}, timeout=0.3)
    assert 0.3 <= time.monotonic() - started < 3
    gate.open.set()


def test_the_timeout_bounds_the_call_retries_included():
    started = time.monotonic()
    with Client("127.0.0.1:1", "m", timeout=0.5, retry_seconds=30) as client, pytest.raises(ServingError):
        client.status()
    assert time.monotonic() - started < 3
