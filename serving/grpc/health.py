"""grpc.health.v1: the server, TensorFlow Serving's two services, and each model by its name.

TensorFlow Serving says SERVING from the moment its port opens and knows no models; what clients of it ask for is
answered in the same way here, from when requests are taken until the server drains. Asked and answered within the
event loop, whatever the models do.
"""

import asyncio
from collections.abc import AsyncIterator

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from serving.core.health import Health
from serving.errors import NotFoundError, ServingError
from serving.front.limits import Places
from serving.grpc.call import UNREADABLE
from serving.grpc.status import code_of

SERVICES = (
    "",
    "ModelService",
    "PredictionService",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
)
_SECONDS_BETWEEN_LOOKS = 0.2
Status = health_pb2.HealthCheckResponse


class HealthService:
    """Answers Check and Watch."""

    def __init__(self, health: Health, streams: Places) -> None:
        """Prepares the answers.

        Args:
            health: What is told.
            streams: A watch holds one of these places.
        """
        self._health = health
        self._streams = streams
        # Models that were served once stay known.
        self._known: set[str] = set()
        self.watch = grpc.unary_stream_rpc_method_handler(self._watch)

    async def check(self, data: bytes, deadline: float) -> bytes:
        """Tells how a service or model is at this moment.

        Raises:
            NotFoundError: There is none of that name.
        """
        status = self._status(health_pb2.HealthCheckRequest.FromString(data).service)
        if status == Status.SERVICE_UNKNOWN:
            raise NotFoundError("")
        return bytes(Status(status=status).SerializeToString())

    async def _watch(self, data: bytes, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        try:
            service = health_pb2.HealthCheckRequest.FromString(data).service
            self._streams.take()
        except DecodeError:
            await context.abort(grpc.StatusCode.INTERNAL, UNREADABLE)
        except ServingError as error:
            await context.abort(code_of(error), str(error))
        try:
            told = None
            while True:
                status = self._status(service)
                if status != told:
                    told = status
                    yield bytes(Status(status=status).SerializeToString())
                await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            self._streams.leave()

    def _status(self, service: str) -> int:
        models = self._health.models()
        self._known |= models.keys()
        if service in models:
            answers = models[service]
        elif service in SERVICES or service in self._known:
            answers = service in SERVICES and self._health.takes_requests()
        else:
            return int(Status.SERVICE_UNKNOWN)
        return int(Status.SERVING if answers else Status.NOT_SERVING)
