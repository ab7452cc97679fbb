"""Answers piece by piece as server-sent events."""

import http.client
import json
import time

import pytest

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, eventually
from tests.serving.echo import Echo
from tests.serving.rest.http_call import call


@pytest.fixture(scope="module", name="echo")
def _echo():
    return Echo()


@pytest.fixture(scope="module", name="server")
def _server(echo, tmp_path_factory):
    base = tmp_path_factory.mktemp("base")
    saved_models.publish(echo.save(tmp_path_factory.mktemp("echo") / "model"), base, 4)
    with Server("m", base, ServingSettings(**QUICK)) as server:
        server.wait_until_available(20)
        yield server


@pytest.fixture(autouse=True)
def _nothing_held(echo):
    echo.steps.clear()
    while echo.turns.acquire(blocking=False):
        continue
    yield
    echo.let_all()


def events(body: bytes) -> list[dict]:
    """The data of each event."""
    *texts, rest = body.decode().split("\n\n")
    assert rest == ""
    return [json.loads(text.removeprefix("data: ")) for text in texts]


def said(pieces: list[dict]) -> tuple[str, str]:
    return "".join(piece["text"] for piece in pieces), pieces[-1]["reason"]


@pytest.mark.parametrize("address", ["m", "m/versions/4"])
def test_an_answer_comes_as_events(server, address):
    reply = call(server, "POST", f"/v1/models/{address}:generate", {"prompt": "héllo", "max_length": 4})
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/event-stream")
    assert reply.headers["Seqline-Model-Version"] == "4"
    assert said(events(reply.body)) == ("héll", "length")


@pytest.mark.parametrize("stop", [" t", [" t"]])
def test_a_stop_is_a_text_or_a_list(server, stop):
    reply = call(server, "POST", "/v1/models/m:generate", {"prompt": "one two", "stop": stop})
    assert said(events(reply.body)) == ("one", "stop")


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("m", {"prompt": "a", "top_k": 3}, 400, "leave out top_k"),
        ("m", {}, 400, "give prompt"),
        ("m", {"prompt": ["a"]}, 400, "prompt takes a text or a number"),
        ("m", {"prompt": 3}, 400, "prompt takes a text, got 3"),
        ("m", {"prompt": "a", "max_length": 1.5}, 400, "max_length takes a whole number"),
        ("m", {"prompt": "!"}, 400, "no !"),
        ("m", b"{", 400, "JSON Parse error"),
        ("other", {"prompt": "a"}, 404, "Servable not found"),
        ("m/versions/7", {"prompt": "a"}, 404, "Servable not found"),
    ],
)
def test_what_is_wrong_is_told_before_any_event(server, path, body, status, words):
    reply = call(server, "POST", f"/v1/models/{path}:generate", body)
    assert reply.status == status
    assert words in reply.error


def test_pieces_come_as_they_are_written_and_a_client_that_goes_ends_the_text(server, echo):
    echo.is_held = True
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=10)
    connection.request("POST", "/v1/models/m:generate", json.dumps({"prompt": "a" * 90}))
    echo.let(1)
    response = connection.getresponse()
    assert json.loads(response.readline().removeprefix(b"data: "))["text"] == "a"
    response.close()
    connection.close()
    # What a client closes it may have closed in its own direction only: the pieces after that tell.
    for _ in range(10):
        echo.let(1)
        time.sleep(0.1)
    eventually(lambda: not server._generator._batches)
    assert len(echo.steps) < 12
    echo.let_all()


def test_a_failure_in_the_middle_is_the_last_event(echo, tmp_path):
    saved_models.publish(echo.save(tmp_path / "model"), tmp_path / "base", 1)
    settings = {**QUICK, "rest": {"port": 0, "timeout_seconds": 3.0}}
    with Server("m", tmp_path / "base", ServingSettings(**settings)) as server:
        server.wait_until_available(20)
        call(server, "POST", "/v1/models/m:generate", {"prompt": "first"})
        echo.is_held = True
        echo.let(2)
        reply = call(server, "POST", "/v1/models/m:generate", {"prompt": "abc"})
        echo.let_all()
    *pieces, last = events(reply.body)
    # On a busy machine the time may be over after the first.
    assert "".join(piece["text"] for piece in pieces) in ("a", "ab")
    assert "Timed out" in last["error"]
