"""Bodies of requests, read where that holds nobody up."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from serving.errors import InvalidRequestError
from serving.front.memory import MEMORY
from serving.rest.json_reader import read_object
from serving.rest.json_values import Json
from serving.rest.packing import unpack
from serving.settings import ServingSettings

Meaning = TypeVar("Meaning")
# What is read within the event loop, in bytes: a matter of microseconds.
_LIGHT_BYTES = 2**12
# What may stand around the text of a request: names, numbers, stop strings.
_AROUND_BYTES = 2**16


def is_light(body: bytes, encoding: str) -> bool:
    """Whether the event loop itself may read a body."""
    return len(body) <= _LIGHT_BYTES and not encoding


async def read_body(
    body: bytes, encoding: str, settings: ServingSettings, meaning_of: Callable[[dict[str, Json]], Meaning]
) -> Meaning:
    """Reads the body of a request for a text; a large one in a thread.

    Args:
        body: Content as sent.
        encoding: Its Content-Encoding.
        settings: Largest body, longest text.
        meaning_of: Reads and checks the document, in that thread too.

    Raises:
        ServingError: It is too large, no JSON object, or not what it should mean.
    """

    def read() -> Meaning:
        return meaning_of(read_object(_content(body, encoding, settings)))

    if is_light(body, encoding):
        return read()
    MEMORY.has_moved()
    return await asyncio.to_thread(read)


def _content(body: bytes, encoding: str, settings: ServingSettings) -> bytes:
    content = unpack(body, encoding, settings.rest.max_body_bytes)
    if len(content) > settings.max_string_bytes + _AROUND_BYTES:
        raise InvalidRequestError(
            f"the request has {len(content)} bytes; one for a text has at most {_AROUND_BYTES} more than the text "
            f"may have, {settings.max_string_bytes} (serving.max_string_bytes, --max_string_bytes); send less at once"
        )
    return content
