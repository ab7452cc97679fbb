"""The HTTP port: opening it, taking requests, draining it."""

import asyncio
import socket
import ssl
from typing import Any

from aiohttp import web

from serving.errors import ServerStartError, ServingError
from serving.front.addresses import bare_host, host_and_port
from serving.front.closing import take_no_more
from serving.front.limits import connections_of_a_port
from serving.front.loop import event_loop, wait_for
from serving.rest.answer import Answer, StreamedAnswer, of_error
from serving.rest.connection import HttpServer
from serving.rest.lobby import Head, Lobby
from serving.rest.reading import Bodies, Request, path_of
from serving.rest.sending import send, send_pieces
from serving.settings import ServingSettings

_SECONDS_BETWEEN_LOOKS = 0.02
_STARTING_SECONDS = 10.0
_BODIES_TOGETHER = 10  # of the largest size


class RestListener:
    """Serves a site on a TCP port, from the event loop.

    Attributes:
        draining: Tell clients with each answer to open another connection for the next request.
    """

    def __init__(self, site: Lobby, settings: ServingSettings, tls: ssl.SSLContext | None = None) -> None:
        """Prepares the port.

        Args:
            site: What answers, until `serve` gives another.
            settings: Where to listen, how much to take.
            tls: Encrypts the port; None for plain HTTP.
        """
        self._site = site
        self._settings = settings
        self._tls = tls
        rest = settings.rest
        self._bodies = Bodies(rest.max_body_bytes, _BODIES_TOGETHER * rest.max_body_bytes, rest.idle_seconds)
        self._handled = 0
        self._is_hurried = False
        self._server: HttpServer | None = None
        self._runner: web.ServerRunner | None = None
        self._port: web.BaseSite | None = None
        self.draining = False

    def open(self) -> int:
        """Opens the port and takes requests from now on.

        Returns:
            The TCP port, also where the settings left the choice open.

        Raises:
            ServerStartError: The port cannot be had.
        """
        try:
            return wait_for(self._open(), _STARTING_SECONDS)
        except OSError as error:
            raise ServerStartError(
                f"cannot listen on {host_and_port(self._settings.host, self._settings.rest.port)}: {error.strerror}. "
                "Stop the program that uses it, or choose another with serving.rest.port (--rest_api_port)"
            ) from error

    def serve(self, site: Lobby) -> None:
        """Has another site answer from now on."""
        self._site = site

    def close(self, grace: float) -> bool:
        """Refuses new connections at once and waits for running requests.

        Args:
            grace: Longest wait, in seconds; what still runs then is cut off.

        Returns:
            True when every running request was answered.
        """
        self.draining = True
        return wait_for(self._close(grace)) if self._runner else True

    def hurry(self) -> None:
        """Ends a `close` under way."""
        self._is_hurried = True

    async def _open(self) -> int:
        rest = self._settings.rest
        # Bodies stay packed: what a broken one is answered is the site's own business.
        self._server = HttpServer(
            self._handle,
            connections_of_a_port(self._settings.max_connections),
            rest.idle_seconds,
            request_factory=self._make_request,
            auto_decompress=False,
            access_log=None,
            max_line_size=rest.max_head_bytes,
            max_field_size=rest.max_head_bytes,
        )
        runner = web.ServerRunner(self._server, shutdown_timeout=0.5)
        await runner.setup()
        host = bare_host(self._settings.host)
        if host == "::":  # of both families, as gRPC has it
            listening = socket.create_server((host, rest.port), family=socket.AF_INET6, dualstack_ipv6=True)
            self._port = web.SockSite(runner, listening, ssl_context=self._tls)
        else:
            self._port = web.TCPSite(runner, host, rest.port, ssl_context=self._tls)
        await self._port.start()
        self._runner = runner
        return int(runner.addresses[0][1])

    async def _close(self, grace: float) -> bool:
        runner, self._runner = self._runner, None
        if runner is None or self._port is None or self._server is None:
            return True
        loop = asyncio.get_running_loop()
        end = loop.time() + grace
        await take_no_more(self._port)
        while self._handled and loop.time() < end and not self._is_hurried:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        drained = not self._handled
        self._server.close_waiting()
        await runner.cleanup()
        return drained

    def _make_request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return Request(message, payload, protocol, writer, task, event_loop())

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self._handled += 1
        try:
            head = Head(request.method, path_of(request.raw_path), request.headers)
            answer: Answer | StreamedAnswer | None = self._site.early(head)
            is_early = answer is not None
            if answer is None:
                answer = await self._ask(request, head)
            if isinstance(answer, StreamedAnswer):
                return await send_pieces(request, answer, self.draining, self._settings.rest.idle_seconds)
            close = self.draining or (is_early and not request.content.is_eof())
            return await send(request, answer, close, self._settings.rest.idle_seconds)
        finally:
            self._handled -= 1

    async def _ask(self, request: Any, head: Head) -> Answer | StreamedAnswer:
        size = 0
        try:
            body = await self._bodies.read(request)
            size = len(body)
            return await self._site.answer(head, body)
        except ServingError as error:
            return of_error(error)
        finally:
            self._bodies.release(size)
