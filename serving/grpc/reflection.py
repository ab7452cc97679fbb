"""Server reflection, by which tools such as grpcurl learn the API.

The service descriptors that come with the API's Python package do not import under protobuf 6; they are made here, from
the message descriptors, which do.
"""

from collections.abc import AsyncIterator

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FileDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection import aio
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.errors import ServingError
from serving.front.limits import Places
from serving.grpc.generation_proto import SERVICE, generation_file
from serving.grpc.status import code_of

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
_VERSIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


def reflection_handlers(with_health: bool, streams: Places) -> dict[str, grpc.RpcMethodHandler]:
    """What answers reflection, as v1 and as v1alpha, whose messages are the same; by path.

    Args:
        with_health: The health service is served too.
        streams: A stream holds one of these places.
    """
    names = [*(f"{_PACKAGE}.{service}" for service in _SERVICES), SERVICE, *_VERSIONS]
    names += ["grpc.health.v1.Health"] if with_health else []
    servicer = aio.ReflectionServicer(names, service_pool(with_health))

    async def answer(
        requests: AsyncIterator[reflection_pb2.ServerReflectionRequest], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[reflection_pb2.ServerReflectionResponse]:
        try:
            streams.take()
        except ServingError as error:
            await context.abort(code_of(error), str(error))
        try:
            async for response in servicer.ServerReflectionInfo(requests, context):
                yield response
        finally:
            streams.leave()

    handler = grpc.stream_stream_rpc_method_handler(
        answer,
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return {f"/{service}/ServerReflectionInfo": handler for service in _VERSIONS}


def service_pool(with_health: bool) -> descriptor_pool.DescriptorPool:
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
    pool.Add(generation_file())
    if with_health:
        _add(health_pb2.DESCRIPTOR, pool, added)
    _add(reflection_pb2.DESCRIPTOR, pool, added)
    pool.Add(_as_v1(reflection_pb2.DESCRIPTOR))
    return pool


def _as_v1(file: FileDescriptor) -> descriptor_pb2.FileDescriptorProto:
    """The stable version of the reflection service: the package differs, and nothing else."""
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    proto.name = proto.name.replace("v1alpha", "v1")
    proto.package = proto.package.replace("v1alpha", "v1")
    for message in proto.message_type:
        for field in (field for field in message.field if field.type_name):
            field.type_name = field.type_name.replace("v1alpha", "v1")
    for method in (method for service in proto.service for method in service.method):
        method.input_type = method.input_type.replace("v1alpha", "v1")
        method.output_type = method.output_type.replace("v1alpha", "v1")
    return proto


def _add(file: FileDescriptor, pool: descriptor_pool.DescriptorPool, added: set[str]) -> None:
    if file.name in added:
        return
    added.add(file.name)
    for dependency in file.dependencies:
        _add(dependency, pool, added)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    pool.Add(proto)
