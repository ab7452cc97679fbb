"""Server reflection, by which tools such as grpcurl learn the API.

The service descriptors that come with the API's Python package do not import under protobuf 6; they are made here, from
the message descriptors, which do.
"""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FileDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

# Service, file, and for each method the module of its messages and the beginning of their names.
_SERVICES: dict[str, tuple[str, dict[str, tuple[Descriptor, Descriptor]]]] = {
    "PredictionService": (
        "tensorflow_serving/apis/prediction_service.proto",
        {
            "Classify": (
                classification_pb2.ClassificationRequest.DESCRIPTOR,
                classification_pb2.ClassificationResponse.DESCRIPTOR,
            ),
            "Regress": (
                regression_pb2.RegressionRequest.DESCRIPTOR,
                regression_pb2.RegressionResponse.DESCRIPTOR,
            ),
            "Predict": (predict_pb2.PredictRequest.DESCRIPTOR, predict_pb2.PredictResponse.DESCRIPTOR),
            "MultiInference": (
                inference_pb2.MultiInferenceRequest.DESCRIPTOR,
                inference_pb2.MultiInferenceResponse.DESCRIPTOR,
            ),
            "GetModelMetadata": (
                get_model_metadata_pb2.GetModelMetadataRequest.DESCRIPTOR,
                get_model_metadata_pb2.GetModelMetadataResponse.DESCRIPTOR,
            ),
        },
    ),
    "ModelService": (
        "tensorflow_serving/apis/model_service.proto",
        {
            "GetModelStatus": (
                get_model_status_pb2.GetModelStatusRequest.DESCRIPTOR,
                get_model_status_pb2.GetModelStatusResponse.DESCRIPTOR,
            ),
            "HandleReloadConfigRequest": (
                model_management_pb2.ReloadConfigRequest.DESCRIPTOR,
                model_management_pb2.ReloadConfigResponse.DESCRIPTOR,
            ),
        },
    ),
}
_PACKAGE = "tensorflow.serving"


def enable_reflection(server: grpc.Server) -> None:
    """Lets clients of a gRPC server ask what it serves."""
    names = [f"{_PACKAGE}.{service}" for service in _SERVICES]
    names += ["grpc.health.v1.Health", reflection.SERVICE_NAME]
    reflection.enable_server_reflection(names, server, pool=service_pool())


def service_pool() -> descriptor_pool.DescriptorPool:
    """The services with all that they depend on, in a pool of their own."""
    pool = descriptor_pool.DescriptorPool()
    added: set[str] = set()
    for service, (file, methods) in _SERVICES.items():
        made = descriptor_pb2.FileDescriptorProto(name=file, package=_PACKAGE, syntax="proto3")
        entry = made.service.add(name=service)
        for method, (request, response) in methods.items():
            entry.method.add(name=method, input_type=f".{request.full_name}", output_type=f".{response.full_name}")
            for message in (request, response):
                _add(message.file, pool, added)
                if message.file.name not in made.dependency:
                    made.dependency.append(message.file.name)
        pool.Add(made)
    _add(health_pb2.DESCRIPTOR, pool, added)
    _add(reflection_pb2.DESCRIPTOR, pool, added)
    return pool


def _add(file: FileDescriptor, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(dependency, pool, added)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    pool.Add(proto)
