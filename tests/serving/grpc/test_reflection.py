"""A tool that knows nothing of the API learns it from the server."""

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

VERSIONS = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
SERVED = {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService", *VERSIONS}
SERVED |= {"seqline.serving.GenerationService"}


def reflect(channel: grpc.Channel, version: str, **asked: str) -> reflection_pb2.ServerReflectionResponse:
    """What one of the two versions answers; their messages are the same."""
    ask = channel.stream_stream(
        f"/{version}/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    return next(iter(ask(iter([reflection_pb2.ServerReflectionRequest(**asked)]), timeout=10)))


def listed(channel: grpc.Channel, version: str) -> set[str]:
    answer = reflect(channel, version, list_services="")
    return {service.name for service in answer.list_services_response.service}


@pytest.mark.parametrize("version", VERSIONS)
def test_all_services_are_listed(line, version):
    assert listed(line.channel, version) == {*SERVED, "grpc.health.v1.Health"}
    for service in listed(line.channel, version):
        answer = reflect(line.channel, version, file_containing_symbol=service)
        assert answer.file_descriptor_response.file_descriptor_proto, service


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_not_served_is_not_listed(serve, version):
    _, stub = serve(wait=False, grpc_health=False)
    assert listed(stub.channel, version) == SERVED
    answer = reflect(stub.channel, version, file_containing_symbol="grpc.health.v1.Health")
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_a_request_built_from_what_the_server_tells_is_answered(line):
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(line.channel))
    method = pool.FindServiceByName("tensorflow.serving.PredictionService").FindMethodByName("Predict")
    request = message_factory.GetMessageClass(method.input_type)()
    request.model_spec.name = "m"
    tensor = request.inputs["x"]
    tensor.dtype = pool.FindEnumTypeByName("tensorflow.DataType").values_by_name["DT_FLOAT"].number
    tensor.tensor_shape.dim.add(size=1)
    tensor.float_val.append(2.0)
    call = line.channel.unary_unary(
        "/tensorflow.serving.PredictionService/Predict",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
    )
    assert list(call(request, timeout=10).outputs["y"].float_val) == [3.0]


def test_every_method_of_the_official_stubs_is_described(line):
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    database = ProtoReflectionDescriptorDatabase(line.channel)
    for module, service in (
        (prediction_service_pb2_grpc, "PredictionService"),
        (model_service_pb2_grpc, "ModelService"),
    ):
        file: descriptor_pb2.FileDescriptorProto = database.FindFileContainingSymbol(f"tensorflow.serving.{service}")
        described = {method.name for method in file.service[0].method}
        servicer = getattr(module, f"{service}Servicer")
        assert described == {name for name in vars(servicer) if not name.startswith("_")}
