"""The ports of a server, which can be open before its models are there, and even before TensorFlow is.

Importing it takes seconds. Meanwhile health tells which models are to come, and whoever asks for something else is told
that the server is starting.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from serving.core.health import Health
from serving.core.tokens import Tokens
from serving.errors import ServerStartError
from serving.front.addresses import host_and_port
from serving.grpc.listener import GrpcListener
from serving.rest.listener import RestListener
from serving.rest.lobby import Lobby
from serving.settings import ServingSettings
from serving.tls.key_file import KeyFile
from serving.tls.ports import ssl_context
from serving.tls.watch import KeyWatch

_log = logging.getLogger("seqline.serving")


class Ports:
    """The gRPC port and, where there is one, the REST port.

    Usable as a context manager that closes them, open or not.

    Attributes:
        health: What is told of the models.
        tokens: Who may ask; None for everybody.
        grpc: The gRPC port.
        rest: The REST port; None where there is none.
    """

    def __init__(self, settings: ServingSettings, names: Iterable[str] = ()) -> None:
        """Prepares the ports; `open` opens them.

        Args:
            settings: Where to listen.
            names: Models that will be served, as far as they are known before TensorFlow is there.

        Raises:
            ServerStartError: Keys or tokens cannot be used.
        """
        self._settings = settings
        security = settings.security
        self.tokens = Tokens(security.token_file) if security.token_file else None
        keys = KeyFile(security.ssl_config_file) if security.ssl_config_file else None
        self._key_watch = KeyWatch(keys) if keys else None
        self.health = Health(names)
        self.grpc = GrpcListener(settings, self.health, self.tokens, keys)
        self.rest = self._make_rest(keys) if settings.rest.enabled else None
        self._open = False
        self.grpc_port = 0
        self.rest_port = 0

    def _make_rest(self, keys: KeyFile | None) -> RestListener:
        if self._settings.rest.tls and keys is None:
            raise ServerStartError(
                "rest.tls needs the keys of security.ssl_config_file (--ssl_config_file), which is not set; set it, or "
                "leave rest.tls out"
            )
        tls = ssl_context(keys) if self._settings.rest.tls and keys else None
        return RestListener(Lobby(self.health, self.tokens, self._settings.rest.cors), self._settings, tls)

    @property
    def address(self) -> str:
        """Host and gRPC port, as a client takes them."""
        return host_and_port(self._settings.host, self.grpc_port)

    @property
    def rest_address(self) -> str:
        """Host and port of the REST API; empty where there is none."""
        return host_and_port(self._settings.host, self.rest_port) if self.rest_port else ""

    def open(self) -> None:
        """Opens what is not open yet.

        Raises:
            ServerStartError: A port cannot be had.
        """
        if self._open:
            return
        self.grpc_port = self.grpc.open()
        self._open = True
        if self._key_watch:
            self._key_watch.start()
        if not self.rest:
            return
        try:
            self.rest_port = self.rest.open()
        except ServerStartError as error:
            if self._settings.rest.required:
                raise
            _log.error("no REST: %s", error)

    def begin_drain(self) -> None:
        """Says that the server is about to end, and takes requests all the same."""
        self.health.draining = True
        if self.rest:
            self.rest.draining = True

    def close(self, grace: float) -> bool:
        """Refuses new requests at once and waits for running ones.

        Args:
            grace: Longest wait, in seconds; what still runs then is cut off.

        Returns:
            True when every running request was answered.
        """
        self.begin_drain()
        if self._key_watch:
            self._key_watch.stop()
        listeners = [self.grpc, *([self.rest] if self.rest else [])]
        with ThreadPoolExecutor(len(listeners)) as pool:  # both refuse from now on
            return all(pool.map(lambda listener: listener.close(grace), listeners))

    def hurry(self) -> None:
        """Ends a `close` under way."""
        for listener in (self.grpc, self.rest):
            if listener:
                listener.hurry()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(0)
