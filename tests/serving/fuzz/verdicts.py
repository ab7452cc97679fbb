"""What the contract lets a server answer; everything else is a finding."""

import json
from collections.abc import Mapping

from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from tests.serving.fuzz.grpc_cases import RELOAD, GrpcCase, parses
from tests.serving.fuzz.rest_cases import RestCase
from tests.serving.fuzz.senders import CLOSED, Reply

# A broken message: gRPC itself answers, before the server sees it.
UNREADABLE = b"Exception deserializing request!"

_INFERENCE = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}
_METHODS: Mapping[str, tuple[type[Message], set[str]]] = {
    "PredictionService/Predict": (predict_pb2.PredictResponse, _INFERENCE),
    "PredictionService/Classify": (classification_pb2.ClassificationResponse, _INFERENCE),
    "PredictionService/Regress": (regression_pb2.RegressionResponse, _INFERENCE),
    "PredictionService/MultiInference": (inference_pb2.MultiInferenceResponse, _INFERENCE | {"UNIMPLEMENTED"}),
    "PredictionService/GetModelMetadata": (
        get_model_metadata_pb2.GetModelMetadataResponse,
        {"OK", "INVALID_ARGUMENT", "NOT_FOUND"},
    ),
    "ModelService/GetModelStatus": (
        get_model_status_pb2.GetModelStatusResponse,
        {"OK", "INVALID_ARGUMENT", "NOT_FOUND"},
    ),
    RELOAD: (
        model_management_pb2.ReloadConfigResponse,
        {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "DEADLINE_EXCEEDED", "UNKNOWN"},
    ),
}
_HTTP = {"200", "400", "404", "501"}


def judge_grpc(case: GrpcCase, reply: Reply) -> str | None:
    """Says what is wrong with an answer; None when nothing is."""
    if case.request is None:
        return None if reply.status == "UNIMPLEMENTED" else "no such method, so UNIMPLEMENTED is due"
    if not parses(case.request, case.data):
        is_told = (reply.status, reply.body) == ("INTERNAL", UNREADABLE)
        return None if is_told else "the message cannot be read, and the answer does not say so"
    response, allowed = _METHODS[case.method]
    if reply.status not in allowed:
        return "not a status of this method"
    if reply.status == "OK":
        return None if parses(response, reply.body) else "the response cannot be read"
    return None if reply.body else "an error without a message"


def judge_rest(case: RestCase, reply: Reply) -> str | None:
    """Says what is wrong with an answer; None when nothing is."""
    if case.broken:
        is_due = reply.status == CLOSED or reply.status in _HTTP
        return None if is_due else "neither a status of the contract nor the end of the connection"
    if reply.status not in _HTTP:
        return "not a status of the contract"
    is_api = case.target.lower().startswith("/v1/")
    if case.method in ("HEAD", "OPTIONS") or not is_api:
        return None
    return _judge_api(reply)


def _judge_api(reply: Reply) -> str | None:
    if not reply.content_type.startswith("application/json"):
        return f"Content-Type is {reply.content_type}"
    if (reply.status, reply.body) == ("400", b""):
        return None  # a version beyond 64 bits
    try:
        document = json.loads(reply.body.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        return f"the body is no JSON: {error}"
    if reply.status == "200":
        return None
    is_error = isinstance(document, dict) and list(document) == ["error"] and isinstance(document["error"], str)
    return None if is_error and document["error"] else "an error has one key, error, and a text"
