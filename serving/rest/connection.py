"""Connections of the HTTP port: what is no HTTP, who is silent, who does not read, who has said all he has to say."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import StreamReader, http_exceptions, web

from serving.errors import InvalidRequestError
from serving.rest.answer import of_error
from serving.rest.sending import SlowReader, respond

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
_LINGERING_SECONDS = 2.0


class Connection(web.RequestHandler):
    """One connection.

    Attributes:
        last_sign: When something came over it last, on the clock of the event loop.
    """

    def __init__(self, manager: "HttpServer", idle_seconds: float, **options: Any) -> None:
        super().__init__(manager, keepalive_timeout=idle_seconds, lingering_time=_LINGERING_SECONDS, **options)
        self._idle_seconds = idle_seconds
        self._half_closed = False
        self._last_body: StreamReader | None = None
        self.last_sign = self._loop.time()

    def is_waiting(self) -> bool:
        """Whether the server waits for the client rather than the other way round."""
        return self._waiter is not None or getattr(self._current_request, "is_being_read", False)

    def data_received(self, data: bytes) -> None:
        """Notes that the client lives."""
        self.last_sign = self._loop.time()
        super().data_received(data)
        if self._messages:
            self._last_body = self._messages[-1][1]

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks for it
        """Lets a client that has closed its own direction have its answers: True keeps the other direction open."""
        asks = bool(self._messages) or self._waiter is None
        if not asks or self.ssl_context is not None:
            return False
        self._half_closed = True
        body = self._last_body
        if body is not None and not body.is_eof():  # it never will be whole
            # In this order: aiohttp, which reads the rest of a body after its answer, logs what it gets raised there.
            body.feed_eof()
            body.set_exception(ConnectionResetError("the client closed its direction within the body"))
        if not self._messages:  # what is being answered is the last
            self.close()
        return True

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends an answer, to those who read it."""
        reader = SlowReader(request, self._idle_seconds)
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            reader.sent()
            if self._half_closed and not self._messages:
                self.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what is no HTTP as the API answers errors, where aiohttp would log a stack trace for each."""
        if not isinstance(exc, http_exceptions.HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        response = respond(of_error(_malformed(exc)))
        response.force_close()
        return response


class HttpServer(web.Server):
    """Makes connections, as many as may be. One more ends the one whose client has been silent longest."""

    def __init__(self, handle: Handle, max_connections: int, idle_seconds: float, **options: Any) -> None:
        # A client that left wants no answer: its work ends at the next step.
        super().__init__(handle, handler_cancellation=True, **options)
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds

    def __call__(self) -> web.RequestHandler:
        """Makes the handler of a new connection."""
        return Connection(self, self._idle_seconds, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Takes a connection in."""
        super().connection_made(handler, transport)
        too_many = len(self._connections) - self._max_connections
        if too_many <= 0:
            return
        others = [one for one in self._connections if isinstance(one, Connection) and one is not handler]
        waiting = [(one.last_sign, id(one), one) for one in others if one.transport is not None and one.is_waiting()]
        # A few at once: each look goes through all of them.
        for _, _, silent in heapq.nsmallest(too_many + len(waiting) // 50, waiting):
            _abort(silent)
        if not waiting:
            transport.abort()

    def close_waiting(self) -> None:
        """Ends the connections on which nothing has been asked."""
        for connection in list(self._connections):
            if connection._waiter is not None:
                connection.force_close()


def _abort(connection: web.RequestHandler) -> None:
    if connection.transport is not None:
        connection.transport.abort()
        connection.force_close()


def _malformed(error: http_exceptions.HttpProcessingError) -> InvalidRequestError:
    # Further lines quote the bytes.
    return InvalidRequestError(f"Malformed request: {error.message.partition(chr(10))[0].rstrip(':')}")
