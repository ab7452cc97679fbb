"""Fuzzed requests over the wire, byte for byte, and what came back."""

import http.client
import socket
from dataclasses import dataclass

import grpc

from tests.serving.fuzz.grpc_cases import RELOAD, GrpcCase
from tests.serving.fuzz.rest_cases import RestCase

CLOSED = "closed"
SECONDS = 15.0
_MOMENT = 0.1
_RELOAD_SECONDS = 0.3  # a reload waits for its models, which may never come


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        status: Name of the gRPC code, number of the HTTP status, or CLOSED for a connection that was ended.
        body: Content, serialized; of a gRPC error its message.
        content_type: Of HTTP.
    """

    status: str
    body: bytes
    content_type: str = ""


class GrpcSender:
    """Sends serialized messages to one server, whatever they are."""

    def __init__(self, address: str) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.insecure_channel(address, options)

    def send(self, case: GrpcCase) -> Reply:
        """Sends one request and waits for the answer."""
        call = self._channel.unary_unary(f"/tensorflow.serving.{case.method}")
        try:
            return Reply("OK", call(case.data, timeout=_RELOAD_SECONDS if case.method == RELOAD else SECONDS))
        except grpc.RpcError as error:
            return Reply(error.code().name, (error.details() or "").encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()


class RestSender:
    """Sends HTTP requests to one server, proper or not; not safe to share between threads."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, case: RestCase) -> Reply:
        """Sends one request and waits for the answer.

        Raises:
            OSError: The server does not take connections, or says nothing for too long.
        """
        if case.broken:
            with self._connect() as connection:
                return _send_once(connection, case)
        if self._socket:
            reply = self._try(self._socket, case)
            if reply.status != CLOSED:
                return reply
        self._socket = self._connect()  # the server may end a connection between two requests
        return self._try(self._socket, case)

    def close(self) -> None:
        """Ends the connection."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=SECONDS)

    def _try(self, connection: socket.socket, case: RestCase) -> Reply:
        try:
            connection.sendall(case.data)
            response, body = _read(connection, case.method)
        except (ConnectionError, http.client.HTTPException):
            self.close()
            return Reply(CLOSED, b"")
        if response.will_close:
            self.close()
        return Reply(str(response.status), body, response.getheader("Content-Type", ""))


def _read(connection: socket.socket, method: str) -> tuple[http.client.HTTPResponse, bytes]:
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return response, response.read()


def _send_once(connection: socket.socket, case: RestCase) -> Reply:
    """Sends bytes that may be no HTTP, waits a moment, says that no more will come, and reads until the end."""
    try:
        connection.sendall(case.data)
        answer = _first_bytes(connection)
        connection.shutdown(socket.SHUT_WR)
        answer += b"".join(iter(lambda: connection.recv(65536), b""))
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        return Reply(CLOSED, b"")
    first_line = answer.partition(b"\r\n")[0].split()
    return Reply(first_line[1].decode(), answer) if len(first_line) > 1 else Reply(CLOSED, answer)


def _first_bytes(connection: socket.socket) -> bytes:
    """What the server says while it may still wait for more; nothing where it waits."""
    connection.settimeout(_MOMENT)
    try:
        return connection.recv(65536)
    except TimeoutError:
        return b""
    finally:
        connection.settimeout(SECONDS)
