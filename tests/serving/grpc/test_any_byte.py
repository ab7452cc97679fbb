"""Headers that no library would send, over HTTP/2 by hand."""

import logging
import socket
import struct

import pytest

from tests.serving import saved_models

_SETTINGS, _HEADERS, _END_OF_HEADERS = 4, 1, 4
_HEAD = {
    b":method": b"POST",
    b":scheme": b"http",
    b":path": b"/tensorflow.serving.PredictionService/Predict",
    b":authority": b"a",
    b"content-type": b"application/grpc",
    b"te": b"trailers",
}


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(text: bytes) -> bytes:
    """A string of HPACK, not compressed; shorter than 127 bytes."""
    return bytes([len(text)]) + text


def reply_to(port: int, authorization: bytes) -> bytes:
    """All that comes back until the status of the call."""
    fields = {**_HEAD, b"authorization": authorization}
    block = b"".join(b"\0" + literal(name) + literal(value) for name, value in fields.items())
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(_SETTINGS, 0, 0, b""))
        connection.sendall(frame(_HEADERS, _END_OF_HEADERS, 1, block))
        while b"grpc-status" not in received and (part := connection.recv(4096)):
            received += part
    return received


@pytest.mark.parametrize(
    "value", [b"Bearer \xff\xfe", b"\x80", b"Bearer \xed\xa0\x80", b"Bearer \xc3\xa4", b"Bearer \x01", b""]
)
def test_any_byte_in_an_authorization_is_a_wrong_token(serve, base, exported, tmp_path, caplog, value):
    saved_models.publish(exported / "line2", base, 1)
    (tmp_path / "tokens").write_text("secret")
    server, _ = serve(wait=False, security={"token_file": str(tmp_path / "tokens")})
    assert reply_to(server.port, value).partition(b"grpc-status")[2][1:3] == b"16"
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
