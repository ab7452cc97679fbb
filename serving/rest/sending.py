"""Answers on their way out."""

import asyncio
import contextlib

from aiohttp import web

from serving.front.memory import MEMORY
from serving.rest.answer import Answer, StreamedAnswer

_LOOKS = 4
# An answer is held in memory while its client does not read it.
_MOST_SECONDS = 30.0
_PIECE = 2**18  # bytes


def respond(answer: Answer) -> web.Response:
    """An answer as aiohttp sends it."""
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    if answer.content_type:
        response.content_type = answer.content_type
    return response


async def send(request: web.BaseRequest, answer: Answer, close: bool, idle_seconds: float) -> web.StreamResponse:
    """Sends an answer; a large one in pieces, each when the one before is out, so that it is held in memory once.

    Args:
        request: What was asked.
        answer: What is answered.
        close: Tell the client to open another connection for the next request.
        idle_seconds: How long the client may read nothing.
    """
    if len(answer.body) <= _PIECE or request.method == "HEAD":
        response: web.StreamResponse = respond(answer)
        if close:
            response.force_close()
        return response
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = len(answer.body)
    if close:
        response.force_close()
    reader = SlowReader(request, idle_seconds)
    try:
        await response.prepare(request)
        body = memoryview(answer.body)
        for start in range(0, len(body), _PIECE):
            await response.write(body[start : start + _PIECE])
    finally:
        reader.sent()
        MEMORY.has_moved()
    return response


async def send_pieces(
    request: web.BaseRequest, answer: StreamedAnswer, close: bool, idle_seconds: float
) -> web.StreamResponse:
    """Sends an answer piece by piece, each as soon as it is there; arguments as those of `send`."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    if close:
        response.force_close()
    async with contextlib.aclosing(answer.pieces) as pieces:
        reader = SlowReader(request, idle_seconds)
        try:
            # Nobody reads the rest where the client is gone.
            with contextlib.suppress(ConnectionResetError):
                await response.prepare(request)
                async for piece in pieces:
                    await response.write(piece)
        finally:
            reader.sent()
    return response


class SlowReader:
    """Cuts off a client that reads nothing of its answer for a while."""

    def __init__(self, request: web.BaseRequest, seconds: float) -> None:
        """Begins to watch.

        Args:
            request: Its answer is about to be sent.
            seconds: How long the client may read nothing; half a minute at most.
        """
        self._transport = request.transport
        self._writer = request.writer
        self._pause = min(seconds, _MOST_SECONDS) / _LOOKS
        self._loop = asyncio.get_running_loop()
        self._out = -1
        self._silent = 0
        self._sent = False
        self._timer = self._loop.call_later(self._pause, self._look)

    def sent(self) -> None:
        """All of the answer has been given to the connection, which may still hold a part of it."""
        self._sent = True
        if self._transport is None or not self._transport.get_write_buffer_size():
            self._timer.cancel()

    def _look(self) -> None:
        if self._transport is None or self._transport.is_closing() and not self._transport.get_write_buffer_size():
            return
        waiting = self._transport.get_write_buffer_size()
        if not waiting and self._sent:
            return
        out = self._writer.output_size - waiting
        self._silent = self._silent + 1 if waiting and out == self._out else 0
        self._out = out
        if self._silent >= _LOOKS:
            self._transport.abort()
            MEMORY.has_moved()
        else:
            self._timer = self._loop.call_later(self._pause, self._look)
