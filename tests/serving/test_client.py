import threading
import time

import numpy as np
import pytest

from serving.client import Client, ModelVersion, TextClass
from serving.errors import (
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


def test_texts_keep_zero_bytes_and_shapes():
    from serving.wire.values import to_array

    assert to_array(["a\0", b"\xff\0"]).tolist() == [b"a\0", b"\xff\0"]
    assert to_array([["a", "bc"]]).shape == (1, 2)
    assert to_array("one").shape == ()
    assert to_array(np.array(["a", "bc"])).tolist() == [b"a", b"bc"]
    assert to_array([1, 2]).dtype == np.int64
    assert to_array([True]).dtype == np.bool_


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
    assert list(line.metadata()["serving_default"].inputs) == ["x"]


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


def test_the_timeout_bounds_the_call_retries_included():
    started = time.monotonic()
    with Client("127.0.0.1:1", "m", timeout=0.5, retry_seconds=30) as client, pytest.raises(ServingError):
        client.status()
    assert time.monotonic() - started < 3
