"""The gRPC port: opening it, registering the services, draining it."""

import asyncio
import re
from collections.abc import Iterable

import grpc

from serving.core.health import Health
from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore
from serving.core.tokens import Tokens
from serving.errors import ServerStartError
from serving.front.addresses import can_be_had, host_and_port
from serving.front.limits import Places, connections_of_a_port
from serving.front.loop import event_loop, wait_for
from serving.front.work import Work
from serving.grpc.call import Answer, UnaryCall
from serving.grpc.health import HealthService
from serving.grpc.methods import Methods
from serving.grpc.model_service import ModelService
from serving.grpc.prediction_service import PredictionService
from serving.grpc.reflection import reflection_handlers
from serving.settings import ServingSettings
from serving.tls.key_file import KeyFile
from serving.tls.ports import grpc_credentials

_STREAMS = 256
_STARTING_SECONDS = 10.0
# Time for the last calls that are on their way to be told that the server is stopping.
_GOODBYE_SECONDS = 0.2
_HANDSHAKE_MILLISECONDS = 20_000
# A client that answers no ping for so long is not there any more.
_PING_MILLISECONDS = 60_000


class GrpcListener:
    """Serves the TensorFlow Serving API on a TCP port and, when asked, a unix socket."""

    def __init__(
        self,
        store: ModelStore,
        predictor: Predictor,
        settings: ServingSettings,
        metrics: Metrics,
        request_log: RequestLog,
        health: Health,
        keys: KeyFile | None,
    ) -> None:
        self._settings = settings
        security = settings.security
        self._keys = keys
        places = Places(settings.max_concurrent_requests, "Concurrent RPC limit exceeded!")
        self._work = Work(predictor.runner, settings.max_threads, places, event_loop())
        services = (
            ("PredictionService", PredictionService(store, predictor, metrics, request_log, self._work).methods()),
            ("ModelService", ModelService(store, metrics).methods()),
        )
        tokens = Tokens(security.token_file) if security.token_file else None
        self._methods = Methods(self._handlers(services, health), tokens)
        self._options = _options(settings)
        self._server: grpc.aio.Server | None = None
        self._hurry = asyncio.Event()

    def _handlers(
        self, services: Iterable[tuple[str, dict[str, Answer]]], health: Health
    ) -> dict[str, grpc.RpcMethodHandler]:
        settings = self._settings
        # Calls without their message cost little, but not nothing.
        unsent = Places(4 * settings.max_concurrent_requests, "too many calls wait for their messages")
        streams = Places(_STREAMS, f"the server holds {_STREAMS} streams already")
        unary = {
            f"/tensorflow.serving.{service}/{method}": answer
            for service, methods in services
            for method, answer in methods.items()
        }
        handlers = reflection_handlers(settings.grpc_health, streams)
        if settings.grpc_health:
            service = HealthService(health, streams)
            unary["/grpc.health.v1.Health/Check"] = service.check
            handlers["/grpc.health.v1.Health/Watch"] = service.watch
        calls = {path: UnaryCall(answer, unsent, settings.message_seconds) for path, answer in unary.items()}
        return handlers | {path: call.handler for path, call in calls.items()}

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
        drained = wait_for(self._close(grace)) if self._server else True
        self._work.stop()
        return drained

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
        await asyncio.sleep(min(_GOODBYE_SECONDS, grace))
        stopped = asyncio.ensure_future(server.stop(grace))
        hurry = asyncio.ensure_future(self._hurry.wait())
        # What has been answered may still be on its way out when the last place is free.
        await asyncio.wait({stopped, hurry}, timeout=max(grace - 0.05, 0.0), return_when=asyncio.FIRST_COMPLETED)
        drained = stopped.done() and not self._work.running
        if not stopped.done() and hurry.done():
            await server.stop(0)
        await asyncio.wait({stopped}, timeout=1.0)
        hurry.cancel()
        return drained

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
