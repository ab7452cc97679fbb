"""Answers piece by piece as server-sent events."""

import gzip
import http.client
import json
import threading
import time
from concurrent import futures

import pytest
from aiohttp import web

from serving.rest import body as body_module
from serving.rest.json_reader import read_object
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, eventually
from tests.serving.echo import Echo
from tests.serving.rest.echo_server import echo_server
from tests.serving.rest.http_call import call


@pytest.fixture(scope="module", name="echo")
def _echo():
    return Echo()


@pytest.fixture(scope="module", name="server")
def _server(echo, tmp_path_factory):
    with echo_server(echo, tmp_path_factory.mktemp("echo")) as server:
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


def test_a_large_body_is_read_beside_what_else_is_asked(server, monkeypatch):
    is_reading, is_told = threading.Event(), threading.Event()

    def read_slowly(content: bytes):
        is_reading.set()
        assert is_told.wait(5), "nothing else was answered meanwhile"
        return read_object(content)

    monkeypatch.setattr(body_module, "read_object", read_slowly)
    with futures.ThreadPoolExecutor(1) as pool:
        prompt = "a" * 5000
        large = pool.submit(call, server, "POST", "/v1/models/m:generate", {"prompt": prompt, "max_length": 2})
        assert is_reading.wait(10)
        assert call(server, "GET", "/v1/models/m").status == 200
        is_told.set()
        assert said(events(large.result().body)) == ("aa", "length")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_body_that_no_text_needs_is_refused_and_counted(server, pack):
    counted = ':tensorflow:serving:request_count{model_name="m",status="INVALID_ARGUMENT"}'
    before = number(server, counted)
    encoding = {"Content_Encoding": "gzip"} if pack is gzip.compress else {}
    reply = call(server, "POST", "/v1/models/m:generate", pack(b" " * 10_100_000), **encoding)
    assert (reply.status, "max_string_bytes" in reply.error) == (400, True)
    assert number(server, counted) == before + 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": ["a" * 50_000]}, "prompt takes a text or a number, got"),
        ({"prompt": "a", "max_length": "b" * 50_000}, "max_length takes a whole number"),
        ({f"name {number}": 1 for number in range(5000)}, "names in a request"),
    ],
)
def test_a_refusal_does_not_say_all_that_was_sent(server, body, words):
    reply = call(server, "POST", "/v1/models/m:generate", body)
    assert (reply.status, words in reply.error, len(reply.body) < 1000) == (400, True, True)


def number(server: Server, name: str) -> int:
    """What the page of metrics says under a name and its labels."""
    found = [line for line in server.metrics.render().splitlines() if line.startswith(name)]
    return int(found[0].rsplit(" ", 1)[1]) if found else 0


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


def test_a_client_that_goes_while_a_piece_is_sent_has_cancelled(server, monkeypatch, caplog):
    async def write_to_nobody(response, data):
        raise ConnectionResetError("Cannot write to closing transport")

    cancelled = ':tensorflow:serving:request_count{model_name="m",status="CANCELLED"}'
    before = number(server, cancelled)
    monkeypatch.setattr(web.StreamResponse, "write", write_to_nobody)
    call(server, "POST", "/v1/models/m:generate", {"prompt": "abc"})
    eventually(lambda: number(server, cancelled) == before + 1)
    assert not [record for record in caplog.records if record.exc_info]


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
