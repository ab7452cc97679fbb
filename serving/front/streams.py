"""The way of an answer that is given piece by piece, from the threads of the batches to the event loop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass

from serving.core.metrics import Metrics
from serving.core.servable import TIMED_OUT
from serving.core.store import ModelQuery, ModelStore
from serving.core.streaming.description import Setting
from serving.core.streaming.generator import Generator
from serving.core.streaming.stream import Piece, Stream
from serving.errors import DeadlineExceededError, ServingError
from serving.front.limits import Places

_LONGEST_SECONDS = 10.0**8


@dataclass(frozen=True)
class Streams:
    """Answers requests within the event loop.

    Attributes:
        generator: Writes the texts.
        store: The models.
        metrics: Counts.
        places: A request holds one of them until its stream has ended.
        entrypoint: GRPC or REST.
    """

    generator: Generator
    store: ModelStore
    metrics: Metrics
    places: Places
    entrypoint: str

    @contextlib.contextmanager
    def reading(self, model: str) -> Iterator[None]:
        """Holds a place while a request is read, and counts one that is refused then.

        Args:
            model: Name that the request uses.

        Raises:
            ResourceExhaustedError: The server has no place.
        """
        self.places.take()
        try:
            yield
        except ServingError:
            with self.metrics.request(model, "Generate", self.entrypoint):
                raise
        finally:
            self.places.leave()

    async def generate(
        self, query: ModelQuery, given: Mapping[str, Setting], deadline: float
    ) -> AsyncGenerator[tuple[int, Piece], None]:
        """Answers one request; who stops reading closes the iterator, and the row is free at the next step.

        Args:
            query: The model that is meant.
            given: Inputs of the request.
            deadline: When the caller gives up, on the clock of `time.monotonic`.

        Yields:
            The version that answers, and a piece; the last one has a reason.

        Raises:
            ServingError: The request is wrong, the model failed on it, time ran out, or the server has no place.
        """
        self.places.take()
        news = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(news.set)

        timer = loop.call_at(min(deadline, loop.time() + _LONGEST_SECONDS), news.set)
        try:
            with self.metrics.request(query.name, "Generate", self.entrypoint) as record:
                stream, version = self._begin(query, given, wake)
                record.version = str(version)
                try:
                    async for piece in self._pieces(stream, news, deadline, query.name):
                        yield version, piece
                finally:
                    stream.cancel()
        finally:
            timer.cancel()
            self.places.leave()

    def _begin(self, query: ModelQuery, given: Mapping[str, Setting], wake: Callable[[], None]) -> tuple[Stream, int]:
        held = contextlib.ExitStack()
        try:
            lease = held.enter_context(self.store.lease(query))
            return self.generator.begin(query.name, lease.servable, given, wake, held), lease.number
        except BaseException:
            held.close()
            raise

    async def _pieces(
        self, stream: Stream, news: asyncio.Event, deadline: float, model: str
    ) -> AsyncGenerator[Piece, None]:
        started, is_first = time.perf_counter(), True
        while True:
            await news.wait()
            news.clear()
            while (piece := stream.take()) is not None:
                if is_first:
                    self.metrics.first_piece_latency.observe(1e6 * (time.perf_counter() - started), model)
                    is_first = False
                yield piece
                if piece.reason:
                    return
            if time.monotonic() >= deadline:
                raise DeadlineExceededError(TIMED_OUT)
