"""How HTTP is spoken: what clients, proxies and libraries send, and those who send or read too little."""

import contextlib
import gzip
import socket
import time

import pytest

from tests.serving import saved_models
from tests.serving.conftest import eventually
from tests.serving.rest.http_call import call

BODY = b'{"instances": [2.0]}'
PATH = b"/v1/models/m:predict"


def post(path: bytes = PATH, headers: bytes = b"", body: bytes = BODY, close: bool = True) -> bytes:
    end = b"Connection: close\r\n" if close else b""
    return b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s%s\r\n%s" % (path, len(body), headers, end, body)


@contextlib.contextmanager
def connect(server):
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) as connection:
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def exchange(server, *parts: bytes, pause: float = 0.0, half_close: bool = False) -> bytes:
    """All that comes back until the server closes the connection."""
    with connect(server) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return rest_of(connection)


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


@pytest.fixture
def start(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)

    def start(rest=None, **settings):
        return serve(rest={"port": 0, **(rest or {})}, **settings)[0]

    return start


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    from serving.server import Server
    from serving.settings import ServingSettings
    from tests.serving.conftest import QUICK

    base = tmp_path_factory.mktemp("base")
    saved_models.publish(exported / "line2", base, 1)
    with Server("m", base, ServingSettings(**QUICK)) as server:
        server.wait_until_available(20)
        yield server


def test_who_asks_whether_to_go_on_is_told_so(server):
    head, body = post(headers=b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
    with connect(server) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert status(rest_of(connection)) == 200


def test_who_may_not_go_on_is_told_so_instead(start):
    server = start(rest={"max_body_bytes": 2000})
    head = post(headers=b"Expect: 100-continue\r\n", body=bytes(3000)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert status(exchange(server, head, half_close=True)) == 429


def test_a_client_that_closed_its_direction_is_answered(server):
    assert status(exchange(server, post(close=False), half_close=True)) == 200
    assert exchange(server, post(close=False) * 5, half_close=True).count(b"HTTP/1.1 200") == 5


def test_a_client_that_closed_its_direction_within_a_body_that_nobody_reads_is_no_news(server, caplog):
    head = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n"
    assert status(exchange(server, head + BODY, half_close=True)) == 429
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_leaves_within_a_head_is_let_go(server):
    assert exchange(server, b"GET /healthz HTTP/1.1\r\nHo", half_close=True) == b""


@pytest.mark.parametrize("target", [b"http://a:1" + PATH, b"HTTPS://a" + PATH])
def test_the_address_may_stand_before_the_path(server, target):
    assert status(exchange(server, post(target))) == 200


def test_long_heads_are_read(server):
    assert status(exchange(server, post(headers=b"Authorization: Bearer " + b"a" * 40_000 + b"\r\n"))) == 200
    assert status(exchange(server, post(headers=b"X-Long: " + b"a" * 100_000 + b"\r\n"))) == 400


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(BODY)),
        (b"GZIP", gzip.compress(BODY)),
        (b"gzip", gzip.compress(BODY[:7]) + gzip.compress(BODY[7:])),
    ],
    ids=["small", "capitals", "several members"],
)
def test_packed_bodies_are_read(server, encoding, body):
    reply = exchange(server, post(headers=b"Content-Encoding: %s\r\n" % encoding, body=body))
    assert status(reply) == 200
    assert b"3.0" in reply


def test_several_members_together_keep_the_limit(start):
    server = start(rest={"max_body_bytes": 2000})
    body = gzip.compress(b" " * 1500) * 2
    assert status(exchange(server, post(headers=b"Content-Encoding: gzip\r\n", body=body))) == 429


def test_a_slow_but_steady_body_is_read(start):
    server = start(rest={"idle_seconds": 0.5})
    head, _, body = post().partition(b"\r\n\r\n")
    pieces = [body[index : index + 2] for index in range(0, len(body), 2)]
    assert status(exchange(server, head + b"\r\n\r\n", *pieces, pause=0.1)) == 200


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nX-A: ", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_silent_connections_are_let_go(start, sent):
    server = start(rest={"idle_seconds": 0.4})
    with connect(server) as connection:
        connection.sendall(sent)
        started = time.monotonic()
        rest_of(connection)
        assert time.monotonic() - started < 5


def test_a_head_that_dribbles_is_let_go(start):
    server = start(rest={"idle_seconds": 0.5})
    with connect(server) as connection:
        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 10:
                connection.sendall(b"GET" if time.monotonic() - started < 0.01 else b" ")
                time.sleep(0.1)
        assert time.monotonic() - started < 5


def test_one_connection_too_many_ends_the_one_that_is_silent_longest(start):
    server = start(max_connections=4)
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(10):
            held.append(stack.enter_context(connect(server)))
            time.sleep(0.02)
        assert call(server, "GET", "/healthz").status == 200
        eventually(lambda: len(server._ports.rest._server.connections) <= 4)
        held[0].settimeout(1)
        with contextlib.suppress(ConnectionError):
            assert held[0].recv(1) == b""


def test_a_client_that_does_not_read_is_cut_off(serve, base, tmp_path):
    saved_models.save_repeater(tmp_path / "repeater")
    saved_models.publish(tmp_path / "repeater", base, 1)
    server, _ = serve(rest={"port": 0, "idle_seconds": 1.0})
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.rest_port))
        connection.sendall(post(body=b'{"inputs": [2000000]}'))
        eventually(lambda: server._ports.rest._handled == 1)
        eventually(lambda: server._ports.rest._handled == 0 and not server._ports.rest._server.connections)


def test_a_large_answer_comes_whole(serve, base, tmp_path):
    saved_models.save_repeater(tmp_path / "repeater")
    saved_models.publish(tmp_path / "repeater", base, 1)
    server, _ = serve(rest={"port": 0})
    reply = call(server, "POST", "/v1/models/m:predict", {"inputs": [300_000]})
    assert (reply.status, len(reply.json["outputs"][0])) == (200, 300_000)


@pytest.mark.parametrize(
    "value", [b"Bearer \xff\xfe", b"\x80", b"Bearer \xed\xa0\x80", b"Bearer \xc3\xa4", b"b" * 9000]
)
def test_any_byte_in_an_authorization_is_a_wrong_token(start, tmp_path, value):
    (tmp_path / "tokens").write_text("secret")
    server = start(security={"token_file": str(tmp_path / "tokens")})
    assert status(exchange(server, post(headers=b"Authorization: %s\r\n" % value))) == 401


def test_who_has_no_token_is_refused_before_his_body(start, tmp_path):
    (tmp_path / "tokens").write_text("secret")
    server = start(security={"token_file": str(tmp_path / "tokens")})
    head = post(body=bytes(50_000)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head + bytes(1000))
        assert status(connection.recv(100)) == 401


def test_bodies_have_a_limit_together(start, monkeypatch):
    monkeypatch.setattr("serving.rest.listener._BODIES_TOGETHER", 2)
    server = start(rest={"max_body_bytes": 10_000})
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            held = stack.enter_context(connect(server))
            held.sendall(post(body=bytes(9_900))[:-10])
        eventually(lambda: server._ports.rest._bodies._held > 15_000)
        assert status(exchange(server, post(body=bytes(9_900)))) == 429
        assert status(exchange(server, post())) == 200
    eventually(lambda: server._ports.rest._bodies._held == 0)


def test_options_are_open_to_pages_too(start):
    server = start(rest={"cors": True})
    reply = call(server, "OPTIONS", "/v1/models/m:predict", Origin="https://a.example")
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, "*")


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_the_server_listens_on_ipv6(start, host):
    server = start(host=host)
    assert server.address == f"[{host.strip('[]')}]:{server.port}"
    with socket.create_connection(("::1", server.rest_port), 5) as connection:
        connection.sendall(post())
        assert status(rest_of(connection)) == 200
    from tests.serving.conftest import Stub

    stub = Stub(f"[::1]:{server.port}", "m")
    assert stub.y(2) == [3]
    stub.channel.close()
    if host == "::":
        assert call(server, "GET", "/healthz").status == 200


def test_a_client_that_closes_its_direction_within_a_body_is_let_go(server):
    started = time.monotonic()
    reply = exchange(server, post()[:-5], half_close=True)
    assert time.monotonic() - started < 5
    assert status(reply) == 400
