"""The gRPC port: opening it, registering the services, draining it."""

import re
from concurrent.futures import ThreadPoolExecutor

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.core.health import Health
from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore
from serving.core.tokens import Tokens
from serving.credentials import grpc_credentials, read_ssl_config
from serving.errors import ServerStartError
from serving.grpc.authentication import TokenInterceptor
from serving.grpc.health import HealthReporter
from serving.grpc.model_service import ModelService
from serving.grpc.prediction_service import PredictionService
from serving.grpc.reflection import enable_reflection
from serving.grpc.unreadable import UnreadableInterceptor
from serving.settings import ServingSettings


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
    ) -> None:
        self._settings = settings
        security = settings.security
        self._credentials = (
            grpc_credentials(read_ssl_config(security.ssl_config_file)) if security.ssl_config_file else None
        )
        self._server = grpc.server(
            ThreadPoolExecutor(settings.max_threads, thread_name_prefix="seqline-grpc"),
            interceptors=[
                *([TokenInterceptor(Tokens(security.token_file))] if security.token_file else []),
                UnreadableInterceptor(),
            ],
            maximum_concurrent_rpcs=settings.max_concurrent_requests,
            options=_options(settings),
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(store, predictor, metrics, request_log), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(store, metrics), self._server)
        enable_reflection(self._server)
        self._reporter = HealthReporter(health, self._server) if settings.grpc_health else None

    def open(self) -> int:
        """Opens the port and takes requests from now on.

        Returns:
            The TCP port, also where the settings left the choice open; 0 where there is only a unix socket.

        Raises:
            ServerStartError: The port cannot be had.
        """
        settings = self._settings
        port = self._bind(f"{settings.host}:{settings.port}", "serving.port (--port)") if settings.grpc_tcp else 0
        if settings.grpc_socket_path:
            self._bind(f"unix:{settings.grpc_socket_path}", "serving.grpc_socket_path (--grpc_socket_path)")
        self._server.start()
        if self._reporter:
            self._reporter.start()
        return port

    def close(self, grace: float) -> bool:
        """Refuses new requests at once and waits for running ones.

        Args:
            grace: Longest wait, in seconds; what still runs then is cut off.

        Returns:
            True when every running request was answered.
        """
        if self._reporter:
            self._reporter.stop()
        stopped = self._server.stop(grace)
        # A little more than the grace: cutting off takes a moment too.
        return stopped.wait(grace + 1.0)

    def _bind(self, address: str, setting: str) -> int:
        try:
            if self._credentials:
                port = self._server.add_secure_port(address, self._credentials)
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise self._cannot_listen(address, setting) from error
        if not port:
            raise self._cannot_listen(address, setting)
        return port

    @staticmethod
    def _cannot_listen(address: str, setting: str) -> ServerStartError:
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
