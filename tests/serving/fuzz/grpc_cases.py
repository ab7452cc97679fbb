"""Fuzzed gRPC requests: legal ones of every method, then changed or broken."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message
from tensorflow.core.example import example_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    input_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.core.tensors import encode_tensor
from tests.serving.fuzz import models, values
from tests.serving.fuzz.proto_mutation import mutate

RELOAD = "ModelService/HandleReloadConfigRequest"
_UNKNOWN = ("SessionService/SessionRun", "PredictionService/Nothing", "PredictionService/predict")


@dataclass(frozen=True)
class GrpcCase:
    """A request.

    Attributes:
        method: Service and method, without the package.
        data: The message, perhaps none.
        request: Its type; None for a method that no server has.
    """

    method: str
    data: bytes
    request: type[Message] | None


def grpc_case(rng: random.Random) -> GrpcCase:
    """Any request but a change of the configuration."""
    if rng.random() < 0.01:
        return GrpcCase(rng.choice(_UNKNOWN), values.noise(rng), None)
    method, make = rng.choice(_WEIGHTED)
    return _case(method, make(rng), rng)


def reload_case(rng: random.Random, base_path: str) -> GrpcCase:
    """A change of the configuration of a server.

    Args:
        rng: Decides.
        base_path: Folder of a model that loads.
    """
    request = model_management_pb2.ReloadConfigRequest(metric_names=[":tensorflow:serving:request_count"])
    for name in rng.sample(("line", "other"), rng.randint(0, 2)):
        config = request.config.model_config_list.config.add()
        config.name, config.base_path, config.model_platform = name, base_path, "tensorflow"
        config.version_labels[models.LABEL] = 1
    return _case(RELOAD, request, rng)


def _case(method: str, request: Message, rng: random.Random) -> GrpcCase:
    mutate(request, rng, rng.choice((0, 0, 1, 1, 2, 3, 6)))
    data = request.SerializeToString(deterministic=True)
    if rng.random() < 0.15:
        data = _damaged(data, type(request), rng)
    return GrpcCase(method, data, type(request))


def _damaged(data: bytes, kind: type[Message], rng: random.Random) -> bytes:
    """Broken bytes; half of the time such that they are still a message, where a few tries find any."""
    for _ in range(rng.choice((1, 10))):
        damaged = values.damage(data, rng)
        if parses(kind, damaged):
            break
    return damaged


def parses(kind: type[Message], data: bytes) -> bool:
    """Whether bytes are a message of a type."""
    try:
        kind.FromString(data)
    except DecodeError:
        return False
    return True


def _spec(rng: random.Random, name: str, signature: str = "") -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=name, signature_name=signature)
    choice = rng.random()
    if choice < 0.2:
        spec.version.value = 1
    elif choice < 0.4:
        spec.version_label = models.LABEL
    return spec


def _predict(rng: random.Random) -> predict_pb2.PredictRequest:
    call = models.predict_call(rng)
    request = predict_pb2.PredictRequest(model_spec=_spec(rng, call.model, call.signature))
    for alias, array in call.inputs.items():
        request.inputs[alias].CopyFrom(encode_tensor(array, rng.random() < 0.3))
    if rng.random() < 0.1:
        request.output_filter.append(rng.choice(("y", "scores", "total")))
    return request


def _input(rng: random.Random) -> input_pb2.Input:
    filled = input_pb2.Input()
    if rng.random() < 0.3:
        with_context = filled.example_list_with_context
        with_context.context.CopyFrom(_example(rng))
        examples = with_context.examples
    else:
        examples = filled.example_list.examples
    for _ in range(rng.randint(1, 4)):
        examples.add().CopyFrom(_example(rng))
    return filled


def _example(rng: random.Random) -> example_pb2.Example:
    example = example_pb2.Example()
    example.features.feature["x"].float_list.value.append(rng.randint(0, 9))
    return example


def _classify(rng: random.Random) -> classification_pb2.ClassificationRequest:
    spec = _spec(rng, "examples", rng.choice(models.CLASSIFYING))
    return classification_pb2.ClassificationRequest(model_spec=spec, input=_input(rng))


def _regress(rng: random.Random) -> regression_pb2.RegressionRequest:
    spec = _spec(rng, "examples", rng.choice(models.REGRESSING))
    return regression_pb2.RegressionRequest(model_spec=spec, input=_input(rng))


def _multi_inference(rng: random.Random) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest(input=_input(rng))
    for name, method in (("classify", "classify"), ("regress", "regress")):
        request.tasks.add(model_spec=_spec(rng, "examples", name), method_name=f"tensorflow/serving/{method}")
    return request


def _metadata(rng: random.Random) -> get_model_metadata_pb2.GetModelMetadataRequest:
    spec = _spec(rng, rng.choice(("line", "types", "examples")))
    return get_model_metadata_pb2.GetModelMetadataRequest(model_spec=spec, metadata_field=["signature_def"])


def _status(rng: random.Random) -> get_model_status_pb2.GetModelStatusRequest:
    return get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(rng, "line"))


Maker = Callable[[random.Random], Message]
_WEIGHTED: list[tuple[str, Maker]] = [
    *[("PredictionService/Predict", _predict)] * 5,
    *[("PredictionService/Classify", _classify)] * 2,
    *[("PredictionService/Regress", _regress)] * 2,
    *[("PredictionService/MultiInference", _multi_inference)] * 2,
    ("PredictionService/GetModelMetadata", _metadata),
    ("ModelService/GetModelStatus", _status),
]
