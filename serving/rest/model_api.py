"""The paths under /v1: inference, state and signatures of models, as TensorFlow Serving answers them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    model_pb2,
    predict_pb2,
    prediction_log_pb2,
    regression_pb2,
)

from serving.core.descriptions import describe_model, describe_status
from serving.core.messages import Messages, answering_spec
from serving.core.metrics import Metrics, RequestRecord
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog, log_of
from serving.core.store import ModelQuery, ModelStore
from serving.core.tensors import encode_tensor
from serving.core.version_records import Lease
from serving.errors import ServingError
from serving.rest.answer import Answer, as_dict, of_json, of_message
from serving.rest.json_examples import read_examples, write_classes, write_values
from serving.rest.json_reader import read_object
from serving.rest.predict_request import PredictCall, read_predict
from serving.rest.predict_response import write_predictions
from serving.rest.routes import Route, parse_route

VERSION_HEADER = "Seqline-Model-Version"


class ModelApi:
    """Answers requests about models."""

    def __init__(
        self, store: ModelStore, predictor: Predictor, metrics: Metrics, request_log: RequestLog, timeout: float
    ) -> None:
        """Prepares the answers.

        Args:
            store: The models.
            predictor: Runs them.
            metrics: Counts the requests.
            request_log: Keeps a sample of them.
            timeout: Longest run of a model for one request, in seconds; 0 or less for no limit.
        """
        self._store = store
        self._predictor = predictor
        self._messages = Messages(predictor)
        self._metrics = metrics
        self._request_log = request_log
        self._timeout = timeout

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answers one request.

        Args:
            method: HTTP method.
            path: Path as sent, with its query.
            body: Content, unpacked.

        Raises:
            ServingError: The request is wrong, the model failed on it, or time ran out.
        """
        try:
            route = parse_route(method, path)
        except ServingError:
            with self._metrics.request("", "", "REST"):
                raise
        api = route.verb if route.verb in ("predict", "classify", "regress") else ""
        with self._metrics.request(route.name, api, "REST") as record:
            if route.verb == "status":
                return of_message(describe_status(self._store, _query(route)))
            if route.verb == "metadata":
                return self._metadata(route)
            document = read_object(body)
            run = {"predict": self._predict, "classify": self._classify, "regress": self._regress}[route.verb]
            with self._store.lease(_query(route)) as lease:
                record.version = str(lease.number)
                content = run(document, route, lease, record)
            return Answer(200, content, headers={VERSION_HEADER: record.version})

    def _metadata(self, route: Route) -> Answer:
        response = describe_model(self._store, _query(route))
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        spec = {
            "name": response.model_spec.name,
            "signature_name": "",
            "version": str(response.model_spec.version.value),
        }
        answer = of_json({"model_spec": spec, "metadata": {"signature_def": as_dict(signatures)}})
        return Answer(answer.status, answer.body, headers={VERSION_HEADER: spec["version"]})

    def _predict(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> bytes:
        call = read_predict(document, lease.servable.signatures)
        record.signature = call.signature_name
        with self._metrics.run(route.name, "predict"):
            outputs = self._predictor.predict(
                lease.servable, call.signature_name, call.inputs, deadline=self._deadline()
            )
            content = write_predictions(outputs, call.is_row)
        self._request_log.offer(route.name, lambda: _predict_log(route, call, lease, outputs))
        return content

    def _classify(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> bytes:
        name, examples = read_examples(document)
        request = classification_pb2.ClassificationRequest(model_spec=_spec(route, name), input=examples)
        response = self._infer(self._messages.classify, request, route, lease, record)
        self._request_log.offer(route.name, lambda: log_of("classify", request, response))
        rows = response.result.classifications
        return write_classes([[(one.label, one.score) for one in row.classes] for row in rows])

    def _regress(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> bytes:
        name, examples = read_examples(document)
        request = regression_pb2.RegressionRequest(model_spec=_spec(route, name), input=examples)
        response = self._infer(self._messages.regress, request, route, lease, record)
        self._request_log.offer(route.name, lambda: log_of("regress", request, response))
        return write_values([one.value for one in response.result.regressions])

    def _infer(
        self,
        run: Callable[[Any, Lease, float], Any],
        request: Any,
        route: Route,
        lease: Lease,
        record: RequestRecord,
    ) -> Any:
        signature = answering_spec(request.model_spec, lease).signature_name
        record.signature = signature if signature in lease.servable.signatures else ""
        with self._metrics.run(route.name, route.verb):
            return run(request, lease, self._deadline())

    def _deadline(self) -> float:
        return time.monotonic() + self._timeout if self._timeout > 0 else float("inf")


def _query(route: Route) -> ModelQuery:
    return ModelQuery(route.name, route.version, route.label)


def _spec(route: Route, signature_name: str) -> model_pb2.ModelSpec:
    return model_pb2.ModelSpec(name=route.name, signature_name=signature_name)


def _predict_log(
    route: Route, call: PredictCall, lease: Lease, outputs: Mapping[str, np.ndarray]
) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest(model_spec=_spec(route, call.signature_name))
    response = predict_pb2.PredictResponse(model_spec=answering_spec(request.model_spec, lease))
    for message, arrays in ((request.inputs, call.inputs), (response.outputs, outputs)):
        for alias, array in arrays.items():
            message[alias].CopyFrom(encode_tensor(array))
    return log_of("predict", request, response)
