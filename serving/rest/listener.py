"""The HTTP port: opening it, taking requests, draining it."""

import asyncio
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import http_exceptions, web

from serving.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    RequestCancelledError,
    ResourceExhaustedError,
    ServerStartError,
    ServingError,
)
from serving.rest.answer import Answer, of_error
from serving.rest.site import Site, too_large
from serving.settings import RestSettings

_SECONDS_BETWEEN_LOOKS = 0.02
_STARTING_SECONDS = 10.0
# A client that stays silent, or sends chunks that are none, must not hold its place for ever.
_BODY_SECONDS = 60.0


class _Connection(web.RequestHandler):
    """Answers what is no HTTP as the API answers errors, where aiohttp would log a stack trace for each."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Makes the answer to a request that could not be read, or that ended in an exception."""
        if not isinstance(exc, http_exceptions.HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        response = _respond(of_error(_malformed(exc)))
        response.force_close()
        return response


class _HttpServer(web.Server):
    def __call__(self) -> web.RequestHandler:
        """Makes the handler of a new connection."""
        return _Connection(self, loop=self._loop, **self._kwargs)


class RestListener:
    """Serves a site on a TCP port, from an event loop in a thread of its own; the models run in a pool of threads."""

    def __init__(
        self,
        site: Site,
        settings: RestSettings,
        host: str,
        max_concurrent_requests: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepares the port.

        Args:
            site: What answers.
            settings: Where to listen, how much to take.
            host: Address to listen on.
            max_concurrent_requests: Requests accepted at the same time, waiting ones included.
            tls: Encrypts the port; None for plain HTTP.
        """
        self._site = site
        self._settings = settings
        self._host = host
        self._max_concurrent = max_concurrent_requests
        self._tls = tls
        self._running = 0
        self._pool = ThreadPoolExecutor(settings.max_threads, thread_name_prefix="seqline-rest")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="seqline-rest-loop", daemon=True)
        self._runner: web.ServerRunner | None = None
        self._tcp: web.TCPSite | None = None

    def open(self) -> int:
        """Opens the port and takes requests from now on.

        Returns:
            The TCP port, also where the settings left the choice open.

        Raises:
            ServerStartError: The port cannot be had.
        """
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(_STARTING_SECONDS)
        except OSError as error:
            raise ServerStartError(
                f"cannot listen on {self._host}:{self._settings.port}: {error.strerror}. Stop the program that uses "
                "it, or choose another with serving.rest.port (--rest_api_port)"
            ) from error

    def close(self, grace: float) -> bool:
        """Refuses new connections at once and waits for running requests.

        Args:
            grace: Longest wait, in seconds; what still runs then is cut off.

        Returns:
            True when every running request was answered.
        """
        drained = True
        if self._thread.is_alive():
            drained = asyncio.run_coroutine_threadsafe(self._close(grace), self._loop).result(grace + 5.0)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        return drained

    async def _open(self) -> int:
        # Bodies stay packed: what a broken one is answered is the site's own business.
        server = _HttpServer(self._handle, request_factory=self._make_request, auto_decompress=False)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        self._tcp = web.TCPSite(self._runner, self._host, self._settings.port, ssl_context=self._tls)
        await self._tcp.start()
        return int(self._runner.addresses[0][1])

    async def _close(self, grace: float) -> bool:
        if self._tcp:
            await self._tcp.stop()
        end = self._loop.time() + grace
        while self._running and self._loop.time() < end:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        drained = not self._running
        if self._runner:
            await self._runner.cleanup()
        return drained

    def _make_request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        limit = self._settings.max_body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop, client_max_size=limit)

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if self._running >= self._max_concurrent:
            return _respond(
                of_error(
                    ResourceExhaustedError(
                        f"the server handles {self._max_concurrent} requests already; try again in a moment"
                    )
                )
            )
        self._running += 1
        try:
            body = await self._read(request)
            arguments = (request.method, request.raw_path, request.headers, body)
            return _respond(await self._loop.run_in_executor(self._pool, self._site.answer, *arguments))
        except ServingError as error:
            return _respond(of_error(error))
        finally:
            self._running -= 1

    async def _read(self, request: web.BaseRequest) -> bytes:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise too_large(self._settings.max_body_bytes) from error
        except TimeoutError as error:
            raise DeadlineExceededError(f"the body of the request was not there after {_BODY_SECONDS:g} s") from error
        except ConnectionError as error:  # aiohttp would log a stack trace
            raise RequestCancelledError("the client ended the connection before the body was there") from error


def _malformed(error: http_exceptions.HttpProcessingError) -> InvalidRequestError:
    # Further lines quote the bytes.
    return InvalidRequestError(f"Malformed request: {error.message.partition(chr(10))[0].rstrip(':')}")


def _respond(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    if answer.content_type:
        response.content_type = answer.content_type
    return response
