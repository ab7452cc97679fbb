"""tensorflow.serving.PredictionService: messages in, core calls, messages out."""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.core.descriptions import describe_model
from serving.core.messages import Messages
from serving.core.metrics import Metrics, RequestRecord
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog, log_of
from serving.core.run import Run
from serving.core.signature import DEFAULT_SIGNATURE
from serving.core.store import ModelStore
from serving.core.version_records import Lease
from serving.errors import InvalidRequestError
from serving.front.work import Work
from serving.grpc.call import Answer
from serving.grpc.model_spec import query_of, require_spec

# What is read within the event loop, in bytes: a matter of microseconds.
_LIGHT_BYTES = 2**14


@dataclass(frozen=True)
class _Kind:
    """A kind of inference.

    Attributes:
        api: Its name.
        message: Its request.
        read: From request and version to what has to be run.
    """

    api: str
    message: type[Message]
    read: Callable[[Any, Lease], Run[Any]]


class PredictionService:
    """Serves inference and the models' signatures."""

    def __init__(
        self, store: ModelStore, predictor: Predictor, metrics: Metrics, request_log: RequestLog, work: Work
    ) -> None:
        self._store = store
        self._messages = Messages(predictor)
        self._metrics = metrics
        self._request_log = request_log
        self._work = work
        self._limit = predictor.settings.request_timeout_seconds

    def methods(self) -> dict[str, Answer]:
        """What answers each method."""
        messages = self._messages
        kinds = (
            _Kind("Predict", predict_pb2.PredictRequest, messages.predict),
            _Kind("Classify", classification_pb2.ClassificationRequest, messages.classify),
            _Kind("Regress", regression_pb2.RegressionRequest, messages.regress),
        )
        return {
            **{kind.api: partial(self._infer, kind) for kind in kinds},
            "MultiInference": self._multi_inference,
            "GetModelMetadata": self._metadata,
        }

    async def _infer(self, kind: _Kind, data: bytes, deadline: float) -> bytes:
        is_light = len(data) <= _LIGHT_BYTES
        request = kind.message.FromString(data) if is_light else None
        with self._metrics.request("", kind.api, "GRPC") as record:

            def read(held: contextlib.ExitStack) -> Run[bytes]:
                return self._read(kind, kind.message.FromString(data) if request is None else request, held, record)

            return await self._work.answer(read, self._within_limit(deadline), is_light)

    def _read(self, kind: _Kind, request: Any, held: contextlib.ExitStack, record: RequestRecord) -> Run[bytes]:
        started = time.perf_counter()
        spec: model_pb2.ModelSpec = request.model_spec
        record.model = spec.name
        require_spec(request.HasField("model_spec"))
        lease = held.enter_context(self._store.lease(query_of(spec)))
        record.version = str(lease.number)
        signature = spec.signature_name or DEFAULT_SIGNATURE
        # Names of signatures that exist only: clients could invent series without end.
        record.signature = signature if signature in lease.servable.signatures else ""

        def write(response: Message) -> bytes:
            self._metrics.note_run(spec.name, kind.api, started)
            self._request_log.offer(spec.name, lambda: log_of(kind.api, request, response))
            return response.SerializeToString()

        return kind.read(request, lease).then(write)

    async def _multi_inference(self, data: bytes, deadline: float) -> bytes:
        def read(held: contextlib.ExitStack) -> Run[bytes]:
            request = inference_pb2.MultiInferenceRequest.FromString(data)
            spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
            lease = held.enter_context(self._store.lease(query_of(spec)))
            count = partial(self._count_examples, spec.name, len(_examples(request)))
            return self._messages.multi_inference(request, lease).then(count)

        return await self._work.answer(read, self._within_limit(deadline), len(data) <= _LIGHT_BYTES)

    def _count_examples(self, model: str, number: int, response: Message) -> bytes:
        self._metrics.example_counts.observe(number, model)
        self._metrics.example_count_total.add(model, amount=number)
        return response.SerializeToString()

    async def _metadata(self, data: bytes, deadline: float) -> bytes:
        request = get_model_metadata_pb2.GetModelMetadataRequest.FromString(data)
        return metadata(self._store, request).SerializeToString()

    def _within_limit(self, deadline: float) -> float:
        return min(deadline, time.monotonic() + self._limit if self._limit > 0 else math.inf)


def metadata(
    store: ModelStore, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a model, as the API tells them.

    Raises:
        InvalidRequestError: No model is named, or another field than the signatures is asked for.
        NotFoundError: Nothing loaded answers to the request.
    """
    require_spec(request.HasField("model_spec"))
    if not request.metadata_field:
        raise InvalidRequestError("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != "signature_def":
            raise InvalidRequestError(f"Metadata field {field} is not supported")
    return describe_model(store, query_of(request.model_spec))


def _examples(request: inference_pb2.MultiInferenceRequest) -> Any:
    return getattr(request.input, request.input.WhichOneof("kind") or "example_list").examples
