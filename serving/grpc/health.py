"""grpc.health.v1: the server, TensorFlow Serving's two services, and each model by its name.

TensorFlow Serving says SERVING from the moment its port opens and knows no models; what clients of it ask for is
answered in the same way here, until the server drains.
"""

import threading

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.core.health import Health

SERVICES = (
    "",
    "ModelService",
    "PredictionService",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
)
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SECONDS_BETWEEN_LOOKS = 0.1


class HealthReporter:
    """Keeps the health service of a gRPC server in line with the models."""

    def __init__(self, health_of_server: Health, server: grpc.Server) -> None:
        self._health = health_of_server
        self._servicer = health.HealthServicer(experimental_non_blocking=True)
        self._stopped = threading.Event()
        self._told: dict[str, int] = {}
        self._thread = threading.Thread(target=self._follow, name="seqline-health", daemon=True)
        for service in SERVICES:
            self._tell(service, True)
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def start(self) -> None:
        """Begins to follow the models."""
        self._thread.start()

    def stop(self) -> None:
        """Tells everybody who watches that nothing is served any more."""
        self._stopped.set()
        self._servicer.enter_graceful_shutdown()

    def _follow(self) -> None:
        while not self._stopped.wait(_SECONDS_BETWEEN_LOOKS):
            models = self._health.models()
            for gone in self._told.keys() - models.keys() - set(SERVICES):
                self._tell(gone, False)
            for name, answers in models.items():
                self._tell(name, answers)

    def _tell(self, service: str, answers: bool) -> None:
        status = _SERVING if answers else _NOT_SERVING
        if self._told.get(service) != status:
            self._told[service] = status
            self._servicer.set(service, status)
