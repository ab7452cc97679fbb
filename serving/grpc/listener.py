"""The gRPC port: opening it, registering the services, draining it."""

import asyncio
import logging
import re
from collections.abc import Mapping

import grpc

from serving.core.health import Health
from serving.core.tokens import Tokens
from serving.errors import ServerStartError
from serving.front.addresses import can_be_had, host_and_port
from serving.front.limits import Places, connections_of_a_port
from serving.front.loop import event_loop, wait_for
from serving.grpc.call import Answer, StreamAnswer, StreamCall, UnaryCall
from serving.grpc.health import HealthService
from serving.grpc.methods import Methods
from serving.settings import ServingSettings
from serving.tls.key_file import KeyFile
from serving.tls.ports import grpc_credentials

_STREAMS = 256
_STARTING_SECONDS = 10.0
# The last calls that are on their way are told that the server is stopping.
_SECONDS_BETWEEN_LOOKS = 0.02
_SILENT_LOOKS = 10
_LONGEST_GOODBYE_SECONDS = 1.0
_HANDSHAKE_MILLISECONDS = 20_000
# A client that answers no ping for so long is not there any more.
_PING_MILLISECONDS = 60_000


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Invalid encoding on")


# A header that is no text would stand in the log, with a stack trace for each call, and be it a secret.
logging.getLogger("grpc._cython.cygrpc").addFilter(_is_news)


class GrpcListener:
    """A TCP port and, when asked, a unix socket, on which methods are served.

    Attributes:
        places: A request holds one of them until nothing of it is left.
    """

    def __init__(self, settings: ServingSettings, health: Health, tokens: Tokens | None, keys: KeyFile | None) -> None:
        """Prepares the port.

        Args:
            settings: Where to listen, how much to take.
            health: Told over the port whatever else is answered.
            tokens: Who may ask; None for everybody.
            keys: Encrypt the port; None for plain text.
        """
        self._settings = settings
        self._keys = keys
        self.places = Places(settings.max_concurrent_requests, "Concurrent RPC limit exceeded!")
        # Calls without their message cost little, but not nothing.
        self._unsent = Places(4 * settings.max_concurrent_requests, "too many calls wait for their messages")
        self._streams = Places(_STREAMS, f"the server holds {_STREAMS} streams already")
        self._methods = Methods(self._health_methods(health), tokens)
        self._options = _options(settings)
        self._server: grpc.aio.Server | None = None
        self._hurry = asyncio.Event()

    def _health_methods(self, health: Health) -> dict[str, grpc.RpcMethodHandler]:
        if not self._settings.grpc_health:
            return {}
        service = HealthService(health, self._streams)
        path = "/grpc.health.v1.Health/"
        return {path + "Check": self._call(service.check), path + "Watch": service.watch}

    def _call(self, answer: Answer) -> grpc.RpcMethodHandler:
        return UnaryCall(answer, self._unsent, self._settings.message_seconds).handler

    def serve(self, answers: Mapping[str, Answer], streams: Mapping[str, StreamAnswer]) -> None:
        """Answers these methods too from now on, by their paths; and reflection, which tells of them."""
        from serving.grpc.reflection import reflection_handlers  # needs TensorFlow, which the port does not

        calls = {path: self._call(answer) for path, answer in answers.items()}
        limits = (self._unsent, self._settings.message_seconds)
        calls |= {path: StreamCall(answer, *limits).handler for path, answer in streams.items()}
        self._methods.complete(calls | reflection_handlers(self._settings.grpc_health, self._streams))

    def open(self) -> int:
        """Opens the port and takes requests from now on.

        Returns:
            The TCP port, also where the settings left the choice open; 0 where there is only a unix socket.

        Raises:
            ServerStartError: The port cannot be had.
        """
        return wait_for(self._open(), _STARTING_SECONDS)

    def close(self, grace: float) -> bool:
        """Refuses new requests at once and waits for running ones.

        Args:
            grace: Longest wait, in seconds; what still runs then is cut off.

        Returns:
            True when every running request was answered.
        """
        return wait_for(self._close(grace)) if self._server else True

    def hurry(self) -> None:
        """Ends a `close` under way."""
        event_loop().call_soon_threadsafe(self._hurry.set)

    async def _open(self) -> int:
        settings = self._settings
        server = grpc.aio.server(options=self._options)
        server.add_generic_rpc_handlers((self._methods,))
        address = host_and_port(settings.host, settings.port)
        port = self._bind(server, address, "serving.port (--port)") if settings.grpc_tcp else 0
        if settings.grpc_socket_path:
            self._bind(server, f"unix:{settings.grpc_socket_path}", "serving.grpc_socket_path (--grpc_socket_path)")
        await server.start()
        self._server = server
        return port

    async def _close(self, grace: float) -> bool:
        # First a word to those who ask, then the end: what reaches a server of gRPC that has stopped is CANCELLED, and
        # no client tries that again.
        server, self._server = self._server, None
        if server is None:
            return True
        self._methods.stopping = True
        await self._say_goodbye(grace)
        stopped = asyncio.ensure_future(server.stop(grace))
        hurry = asyncio.ensure_future(self._hurry.wait())
        # What has been answered may still be on its way out when the last place is free.
        await asyncio.wait({stopped, hurry}, timeout=max(grace - 0.05, 0.0), return_when=asyncio.FIRST_COMPLETED)
        drained = stopped.done() and not self.places.taken
        if not stopped.done() and hurry.done():
            await server.stop(0)
        await asyncio.wait({stopped}, timeout=1.0)
        hurry.cancel()
        return drained

    async def _say_goodbye(self, grace: float) -> None:
        """Waits until all calls that were on their way have been told: until none has come for a while."""
        loop = asyncio.get_running_loop()
        end = loop.time() + min(_LONGEST_GOODBYE_SECONDS, grace)
        silent = 0
        # Many short looks rather than a long one: a busy machine hands the loop its calls late.
        while silent < _SILENT_LOOKS and loop.time() < end:
            told = self._methods.told
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            silent = silent + 1 if self._methods.told == told else 0

    def _bind(self, server: grpc.aio.Server, address: str, setting: str) -> int:
        try:
            if self._keys:
                port = server.add_secure_port(address, grpc_credentials(self._keys))
            else:
                port = server.add_insecure_port(address)
        except RuntimeError as error:  # gRPC keeps the reason to itself
            raise self._cannot_listen(address, setting) from error
        return int(port)

    def _cannot_listen(self, address: str, setting: str) -> ServerStartError:
        if self._keys and not address.startswith("unix:") and can_be_had(self._settings.host, self._settings.port):
            return ServerStartError(
                f"gRPC cannot use the keys and certificates of {self._keys.path}: a key may be too short, or of a kind "
                "that gRPC does not know; give others"
            )
        return ServerStartError(
            f"cannot listen on {address}: another program uses it, or the address is not one of this machine. "
            f"Stop that program, or choose another with {setting}"
        )


def _options(settings: ServingSettings) -> list[tuple[str, int | str]]:
    options: dict[str, int | str] = {
        "grpc.max_receive_message_length": settings.max_message_bytes,
        "grpc.max_send_message_length": -1,
        # Else two servers share one port in silence and clients reach either.
        "grpc.so_reuseport": 0,
        "grpc.max_allowed_incoming_connections": connections_of_a_port(settings.max_connections),
        "grpc.max_connection_idle_ms": int(1000 * settings.idle_seconds),
        "grpc.server_handshake_timeout_ms": _HANDSHAKE_MILLISECONDS,
        "grpc.keepalive_time_ms": _PING_MILLISECONDS,
    }
    return list((options | dict(channel_arguments(settings.grpc_channel_arguments))).items())


def channel_arguments(text: str) -> list[tuple[str, int | str]]:
    """Reads options of the gRPC server, `name=value,name=value`; whole numbers are passed as numbers.

    Raises:
        ServerStartError: A part is not of that form.
    """
    options: list[tuple[str, int | str]] = []
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not (name and equals):
            raise ServerStartError(f"grpc_channel_arguments takes name=value,name=value; got {part!r}")
        options.append((name, int(value) if re.fullmatch(r"-?\d+", value) else value))
    return options
