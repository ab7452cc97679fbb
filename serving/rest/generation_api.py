"""Answers piece by piece over HTTP, as server-sent events (WHATWG HTML, section 9.2)."""

import contextlib
import json
import time
from collections.abc import AsyncGenerator, Mapping

from serving.core.store import ModelQuery
from serving.core.streaming.description import Setting
from serving.core.streaming.generator import STOP_SEPARATOR
from serving.core.streaming.stream import Piece
from serving.errors import InvalidRequestError, ServingError
from serving.front.streams import Streams
from serving.rest.answer import StreamedAnswer
from serving.rest.body import read_body
from serving.rest.json_echo import echo
from serving.rest.json_values import Json
from serving.settings import ServingSettings

EVENTS = "text/event-stream"
# Characters of all names of a request together; an error tells them.
_MOST_NAMED = 1024


class GenerationApi:
    """Answers `:generate`."""

    def __init__(self, streams: Streams, settings: ServingSettings) -> None:
        """Prepares the answers.

        Args:
            streams: Gives the pieces.
            settings: Time limit of an answer, largest body, longest text.
        """
        self._streams = streams
        self._settings = settings

    async def generate(self, query: ModelQuery, body: bytes, encoding: str, version_header: str) -> StreamedAnswer:
        """Answers one request; returns once the first piece is there.

        Args:
            query: The model that is meant.
            body: Content as sent: an object of the inputs, `stop` as a text or a list of them.
            encoding: Its Content-Encoding.
            version_header: Header that tells the version.

        Raises:
            ServingError: The request is wrong, or the model failed before there was anything to tell.
        """
        with self._streams.reading(query.name):
            given = await read_body(body, encoding, self._settings, _inputs)
        limit = self._settings.rest.timeout_seconds
        deadline = time.monotonic() + limit if limit > 0 else float("inf")
        pieces = self._streams.generate(query, given, deadline)
        version, first = await anext(pieces)
        headers = {version_header: str(version), "Cache-Control": "no-store"}
        return StreamedAnswer(_events(first, pieces), EVENTS, headers)


async def _events(first: Piece, rest: AsyncGenerator[tuple[int, Piece], None]) -> AsyncGenerator[bytes, None]:
    """Pieces as events; what goes wrong in between is the last one, as the status has been told."""
    async with contextlib.aclosing(rest):
        try:
            yield _event(vars(first))
            async for _, piece in rest:
                yield _event(vars(piece))
        except ServingError as error:
            yield _event({"error": str(error)})


def _event(data: Mapping[str, Setting]) -> bytes:
    return f"data: {json.dumps(dict(data), ensure_ascii=False)}\n\n".encode()


def _inputs(document: Mapping[str, Json]) -> dict[str, Setting]:
    if (named := sum(map(len, document))) > _MOST_NAMED:
        raise InvalidRequestError(
            f"the names in a request have {_MOST_NAMED} characters together at most, got {named}: send a model's inputs"
        )
    given: dict[str, Setting] = {}
    for name, value in document.items():
        if name == "stop" and isinstance(value, list) and all(isinstance(each, str) for each in value):
            value = STOP_SEPARATOR.join(value)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidRequestError(f"{name} takes a text or a number, got {echo(value):.256}")
        given[name] = value
    return given
