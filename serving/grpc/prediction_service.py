"""tensorflow.serving.PredictionService: messages in, core calls, messages out."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.core.descriptions import describe_model
from serving.core.messages import Messages
from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog, log_of
from serving.core.signature import DEFAULT_SIGNATURE
from serving.core.store import ModelStore
from serving.core.version_records import Lease
from serving.errors import InvalidRequestError
from serving.grpc.call import answer, deadline_of, query_of, require_spec

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Serves inference and the models' signatures."""

    def __init__(self, store: ModelStore, predictor: Predictor, metrics: Metrics, request_log: RequestLog) -> None:
        self._store = store
        self._messages = Messages(predictor)
        self._metrics = metrics
        self._request_log = request_log

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature on tensors."""
        return self._counted("Predict", self._messages.predict, request, context)

    def Classify(
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Gives classes and scores of examples."""
        return self._counted("Classify", self._messages.classify, request, context)

    def Regress(
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Gives values of examples."""
        return self._counted("Regress", self._messages.regress, request, context)

    def MultiInference(
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs several signatures on the same examples."""
        return answer(context, lambda: self._multi_inference(request, self._deadline(context)))

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells the signatures of a model."""
        return answer(context, lambda: metadata(self._store, request))

    def _deadline(self, context: grpc.ServicerContext) -> float:
        return deadline_of(context, self._messages.predictor.settings.request_timeout_seconds)

    def _counted(
        self,
        api: str,
        run: Callable[[Request, Lease, float], Response],
        request: Any,
        context: grpc.ServicerContext,
    ) -> Response:
        return answer(context, lambda: self._run(api, run, request, self._deadline(context)))

    def _run(
        self, api: str, run: Callable[[Request, Lease, float], Response], request: Any, deadline: float
    ) -> Response:
        spec: model_pb2.ModelSpec = request.model_spec
        with self._metrics.request(spec.name, api, "GRPC") as record:
            require_spec(request.HasField("model_spec"))
            with self._store.lease(query_of(spec)) as lease:
                record.version = str(lease.number)
                signature = spec.signature_name or DEFAULT_SIGNATURE
                # Names of signatures that exist only: clients could invent series without end.
                record.signature = signature if signature in lease.servable.signatures else ""
                with self._metrics.run(spec.name, api):
                    response = run(request, lease, deadline)
        self._request_log.offer(spec.name, lambda: log_of(api, request, response))
        return response

    def _multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, deadline: float
    ) -> inference_pb2.MultiInferenceResponse:
        spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
        with self._store.lease(query_of(spec)) as lease:
            response = self._messages.multi_inference(request, lease, deadline)
        num_examples = len(_examples(request))
        self._metrics.example_counts.observe(num_examples, spec.name)
        self._metrics.example_count_total.add(spec.name, amount=num_examples)
        return response


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
