"""What every call has in common: its message, its deadline, and how a failure becomes a status."""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import grpc
from google.protobuf.message import DecodeError

from serving.errors import DeadlineExceededError, InvalidRequestError, ServingError
from serving.front.limits import Places
from serving.front.loop import event_loop
from serving.grpc.status import code_of, truncate

_log = logging.getLogger("seqline.serving")

# gRPC's own words, which clients know.
UNREADABLE = "Exception deserializing request!"

# From the bytes of a message, and the time at which the caller gives up on the clock of `time.monotonic`, to the bytes
# of the answer.
Answer = Callable[[bytes, float], Awaitable[bytes]]
# The same to the bytes of each piece of an answer.
StreamAnswer = Callable[[bytes, float], AsyncGenerator[bytes, None]]


class _Call:
    """Reads the message of a call, and ends a call that fails.

    gRPC's own handlers wait for the message before anybody is asked; so each method is registered as one that takes a
    stream, and reads the one message itself.
    """

    def __init__(self, unsent: Places, message_seconds: float) -> None:
        self._unsent = unsent
        self._message_seconds = message_seconds
        self._loop = event_loop()

    async def _read(self, context: grpc.aio.ServicerContext) -> bytes:
        self._unsent.take()
        # asyncio.timeout does the same in three times the time.
        task, late = asyncio.current_task(), False

        def give_up() -> None:
            nonlocal late
            late = True
            if task is not None:
                task.cancel()

        timer = self._loop.call_later(self._message_seconds, give_up)
        try:
            data = await context.read()
        except asyncio.CancelledError:
            if not late or task is None or task.uncancel():
                raise
            raise DeadlineExceededError(
                f"the message of the call was not there after {self._message_seconds:g} s"
            ) from None
        finally:
            timer.cancel()
            self._unsent.leave()
        if data is grpc.aio.EOF:
            raise InvalidRequestError("the call ended without a message")
        return data if isinstance(data, bytes) else bytes(data)


class UnaryCall(_Call):
    """Serves one method.

    Attributes:
        handler: What gRPC calls.
    """

    def __init__(self, answer: Answer, unsent: Places, message_seconds: float) -> None:
        """Prepares the method.

        Args:
            answer: Answers a message.
            unsent: A call holds one of these places until its message is there.
            message_seconds: How long that may take.
        """
        super().__init__(unsent, message_seconds)
        self._answer = answer
        self.handler = grpc.stream_unary_rpc_method_handler(self._serve)

    async def _serve(self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> bytes | None:
        try:
            data = await self._read(context)
            return await self._answer(data, _deadline_of(context))
        except Exception as error:
            await _abort(context, error)
        raise AssertionError("abort always raises")


class StreamCall(_Call):
    """Serves one method whose answer comes in pieces.

    Attributes:
        handler: What gRPC calls.
    """

    def __init__(self, answer: StreamAnswer, unsent: Places, message_seconds: float) -> None:
        """Prepares the method; arguments as those of `UnaryCall`.

        A client that takes no piece for `message_seconds` is cut off.
        """
        super().__init__(unsent, message_seconds)
        self._answer = answer
        self.handler = grpc.stream_stream_rpc_method_handler(self._serve)

    async def _serve(self, messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
        try:
            data = await self._read(context)
            async with contextlib.aclosing(self._answer(data, _deadline_of(context))) as pieces:
                async for piece in pieces:
                    await self._write(context, piece)
        except Exception as error:
            await _abort(context, error)

    async def _write(self, context: grpc.aio.ServicerContext, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._message_seconds):
                await context.write(piece)
        except TimeoutError:
            raise DeadlineExceededError(
                f"a piece of the answer was not taken for {self._message_seconds:g} s"
            ) from None


async def _abort(context: grpc.aio.ServicerContext, error: Exception) -> None:
    """Ends a call with the status of what went wrong."""
    if isinstance(error, ServingError):
        code, message = code_of(error), truncate(str(error))
    elif isinstance(error, DecodeError):
        code, message = grpc.StatusCode.INTERNAL, UNREADABLE
    else:
        # The text stays in the log: it may hold what is no client's business.
        _log.error("a request failed in an unexpected way", exc_info=error)
        code, message = grpc.StatusCode.INTERNAL, "Internal error; the server's log has the details"
    await context.abort(code, message)


def _deadline_of(context: grpc.aio.ServicerContext) -> float:
    remaining = context.time_remaining()
    return math.inf if remaining is None else time.monotonic() + remaining
