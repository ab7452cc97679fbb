"""Bytes that are no HTTP, or that end in the middle of it."""

import http.client
import json
import logging
import socket
import time

import pytest

from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.conftest import QUICK

POST = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server("m", tmp_path_factory.mktemp("base"), ServingSettings(**QUICK)) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A server that waits half a second."""
    settings = ServingSettings(**{**QUICK, "rest": {"port": 0, "idle_seconds": 0.5}})
    with Server("m", tmp_path_factory.mktemp("base"), settings) as server:
        yield server


def connect(server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.rest_port), timeout=10)


def send(server, *parts: bytes) -> tuple[int, dict[str, str]]:
    """Status and JSON of the answer to bytes that come one part after another."""
    with connect(server) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.05)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


def errors_of(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"FOO /v1/models/m HTTP/1.1\r\nHost: a\r\n\r\n", "Invalid method encountered"),
        (b"GET /v1/models/\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", "Invalid char in url path"),
        (POST + b"Content-Length: -1\r\n\r\n", "Invalid character in Content-Length"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Invalid character in chunk size"),
    ],
    ids=["method", "address", "length", "chunk size"],
)
def test_what_is_no_http_is_answered_as_any_wrong_request(server, caplog, sent, message):
    assert send(server, sent) == (400, {"error": f"Malformed request: {message}"})
    assert errors_of(caplog) == []


@pytest.mark.parametrize(
    "sent",
    [POST + b"Content-Length: 9\r\n\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\n"],
    ids=["silence", "a chunk that is none"],
)
def test_a_body_that_never_comes_does_not_hold_its_place(hasty, sent):
    status, answer = send(hasty, sent, b"zz")
    assert (status, answer) == (504, {"error": "nothing more of the body of the request came within 0.5 s"})


def test_a_client_that_leaves_within_its_body_is_no_news(server, caplog):
    with connect(server) as connection:
        connection.sendall(POST + b"Content-Length: 9\r\n\r\n")
        time.sleep(0.1)
    time.sleep(0.1)
    assert errors_of(caplog) == []
