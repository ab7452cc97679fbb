"""The paths under /v1: inference, state and signatures of models, as TensorFlow Serving answers them."""

import contextlib
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
from serving.core.run import Run
from serving.core.store import ModelQuery, ModelStore
from serving.core.tensors import encode_tensor
from serving.core.version_records import Lease
from serving.errors import ServingError
from serving.front.work import Work
from serving.rest.answer import Answer, StreamedAnswer, as_dict, of_json, of_message
from serving.rest.body import is_light
from serving.rest.completions_api import PATH as COMPLETIONS
from serving.rest.completions_api import CompletionsApi
from serving.rest.generation_api import GenerationApi
from serving.rest.json_examples import read_examples, write_classes, write_values
from serving.rest.json_reader import read_object
from serving.rest.packing import unpack
from serving.rest.predict_request import PredictCall, read_predict
from serving.rest.predict_response import write_predictions
from serving.rest.routes import Route, parse_route
from serving.settings import RestSettings

VERSION_HEADER = "Seqline-Model-Version"
_VERBS = ("predict", "classify", "regress")


class ModelApi:
    """Answers requests about models."""

    def __init__(
        self,
        store: ModelStore,
        predictor: Predictor,
        metrics: Metrics,
        request_log: RequestLog,
        settings: RestSettings,
        work: Work,
        generation: GenerationApi,
        completions: CompletionsApi,
    ) -> None:
        """Prepares the answers.

        Args:
            store: The models.
            predictor: Reads what they are asked.
            metrics: Counts the requests.
            request_log: Keeps a sample of them.
            settings: Time limit of a run, largest body.
            work: Takes requests through the threads.
            generation: Answers piece by piece.
            completions: The same in the words of another API.
        """
        self._store = store
        self._predictor = predictor
        self._messages = Messages(predictor)
        self._metrics = metrics
        self._request_log = request_log
        self._settings = settings
        self._work = work
        self._generation = generation
        self._completions = completions

    async def answer(self, method: str, path: str, body: bytes, encoding: str) -> Answer | StreamedAnswer:
        """Answers one request.

        Args:
            method: HTTP method.
            path: Path as sent, with its query.
            body: Content as sent.
            encoding: Its Content-Encoding.

        Raises:
            ServingError: The request is wrong, the model failed on it, or time ran out.
        """
        if (method, path) == ("POST", COMPLETIONS):
            return await self._completions.complete(body, encoding, VERSION_HEADER)
        try:
            route = parse_route(method, path)
        except ServingError:
            with self._metrics.request("", "", "REST"):
                raise
        if route.verb == "generate":
            return await self._generation.generate(_query(route), body, encoding, VERSION_HEADER)
        api = route.verb if route.verb in _VERBS else ""
        with self._metrics.request(route.name, api, "REST") as record:
            if route.verb == "status":
                return of_message(describe_status(self._store, _query(route)))
            if route.verb == "metadata":
                return self._metadata(route)

            def read(held: contextlib.ExitStack) -> Run[bytes]:
                document = read_object(unpack(body, encoding, self._settings.max_body_bytes))
                lease = held.enter_context(self._store.lease(_query(route)))
                record.version = str(lease.number)
                read_verb = {"predict": self._predict, "classify": self._classify, "regress": self._regress}[route.verb]
                return read_verb(document, route, lease, record)

            content = await self._work.answer(read, self._deadline(), is_light(body, encoding))
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

    def _predict(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> Run[bytes]:
        call = read_predict(document, lease.servable.signatures)
        record.signature = call.signature_name
        started = time.perf_counter()

        def write(outputs: dict[str, np.ndarray]) -> bytes:
            content = write_predictions(outputs, call.is_row)
            self._metrics.note_run(route.name, route.verb, started)
            self._request_log.offer(route.name, lambda: _predict_log(route, call, lease, outputs))
            return content

        return self._predictor.prepare(lease.servable, call.signature_name, call.inputs).then(write)

    def _classify(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> Run[bytes]:
        name, examples = read_examples(document)
        request = classification_pb2.ClassificationRequest(model_spec=_spec(route, name), input=examples)

        def write(response: classification_pb2.ClassificationResponse) -> bytes:
            rows = response.result.classifications
            return write_classes([[(one.label, one.score) for one in row.classes] for row in rows])

        return self._infer(self._messages.classify, request, route, lease, record).then(write)

    def _regress(self, document: dict[str, Any], route: Route, lease: Lease, record: RequestRecord) -> Run[bytes]:
        name, examples = read_examples(document)
        request = regression_pb2.RegressionRequest(model_spec=_spec(route, name), input=examples)
        run = self._infer(self._messages.regress, request, route, lease, record)
        return run.then(lambda response: write_values([one.value for one in response.result.regressions]))

    def _infer(
        self,
        read: Callable[[Any, Lease], Run[Any]],
        request: Any,
        route: Route,
        lease: Lease,
        record: RequestRecord,
    ) -> Run[Any]:
        signature = answering_spec(request.model_spec, lease).signature_name
        record.signature = signature if signature in lease.servable.signatures else ""
        started = time.perf_counter()

        def note(response: Any) -> Any:
            self._metrics.note_run(route.name, route.verb, started)
            self._request_log.offer(route.name, lambda: log_of(route.verb, request, response))
            return response

        return read(request, lease).then(note)

    def _deadline(self) -> float:
        limit = self._settings.timeout_seconds
        return time.monotonic() + limit if limit > 0 else float("inf")


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
