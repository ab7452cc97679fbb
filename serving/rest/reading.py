"""Requests on their way in."""

import asyncio
import re

from aiohttp import web

from serving.errors import DeadlineExceededError, InvalidRequestError, ResourceExhaustedError
from serving.rest.packing import too_large

# http://host/path, which proxies send.
_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Request(web.BaseRequest):
    """A request of the HTTP port.

    Attributes:
        is_being_read: The server waits for its body.
    """

    is_being_read = False


class Bodies:
    """Reads bodies, slow ones too as long as something comes; holds no more of them than the memory has room for."""

    def __init__(self, max_bytes: int, max_together: int, idle_seconds: float) -> None:
        """Prepares the reading.

        Args:
            max_bytes: Largest body.
            max_together: Largest sum of all bodies that are read or worked on, in bytes.
            idle_seconds: How long nothing may come of a body.
        """
        self._max_bytes = max_bytes
        self._max_together = max_together
        self._idle_seconds = idle_seconds
        self._held = 0

    async def read(self, request: Request) -> bytes:
        """The body of a request; `release` it once it is worked off.

        Raises:
            ServingError: It is too large, it does not come, or its client left.
        """
        if (request.content_length or 0) > self._max_bytes:
            raise too_large(self._max_bytes)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
            request.transport.write(_CONTINUE)
        request.is_being_read = True
        try:
            if request.content.is_eof() and request.content.exception() is None:
                body = request.content.read_nowait()
                self._hold(len(body), len(body))
                return body
            return await self._gather(request)
        except TimeoutError as error:
            raise DeadlineExceededError(
                f"nothing more of the body of the request came within {self._idle_seconds:g} s"
            ) from error
        except ConnectionError as error:  # aiohttp would log a stack trace
            raise InvalidRequestError("Malformed request: the body ended before all of it was there") from error
        finally:
            request.is_being_read = False

    def release(self, size: int) -> None:
        """Forgets a body of so many bytes."""
        self._held -= size

    async def _gather(self, request: Request) -> bytes:
        parts, size = [], 0
        try:
            while not request.content.at_eof():
                async with asyncio.timeout(self._idle_seconds):
                    part = await request.content.readany()
                self._hold(len(part), size + len(part))
                size += len(part)
                parts.append(part)
            if error := request.content.exception():
                raise error
        except BaseException:
            self.release(size)
            raise
        return b"".join(parts)

    def _hold(self, more: int, size: int) -> None:
        if size > self._max_bytes:
            raise too_large(self._max_bytes)
        if self._held + more > self._max_together:
            raise ResourceExhaustedError(
                f"the requests of the moment are larger than {self._max_together} bytes together; try again in a moment"
            )
        self._held += more


def path_of(target: str) -> str:
    """The path of a request, with its query, also where the address of the server stands before it."""
    if target.startswith("/"):
        return target
    rest = _ABSOLUTE.sub("", target, count=1)
    return target if rest == target else rest if rest.startswith("/") else f"/{rest}"
