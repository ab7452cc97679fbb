"""grpc.health.v1 tells the truth per model."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def check(stub, service: str) -> int:
    health = health_pb2_grpc.HealthStub(stub.channel)
    return health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status


@pytest.mark.parametrize("service", ["", "ModelService", "PredictionService", "tensorflow.serving.PredictionService"])
def test_services_of_tensorflow_serving_serve_from_the_moment_the_port_opens(serve, service):
    _, stub = serve(wait=False)
    assert check(stub, service) == SERVING


def test_a_model_serves_when_a_version_of_it_answers(serve, base, exported):
    server, stub = serve(wait=False)
    eventually(lambda: server.health.models() == {"m": False})
    eventually(lambda: _known(stub, "m"))
    assert check(stub, "m") == NOT_SERVING
    saved_models.publish(exported / "line2", base, 1)
    eventually(lambda: check(stub, "m") == SERVING)


def test_an_unknown_name_is_not_found(serve):
    _, stub = serve(wait=False)
    with refused(grpc.StatusCode.NOT_FOUND):
        check(stub, "other")


def test_who_watches_a_model_hears_of_its_changes(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve()
    eventually(lambda: _known(stub, "m") and check(stub, "m") == SERVING)
    watch = health_pb2_grpc.HealthStub(stub.channel).Watch(health_pb2.HealthCheckRequest(service="m"), timeout=20)
    assert next(watch).status == SERVING
    server.health.draining = True
    assert next(watch).status == NOT_SERVING
    watch.cancel()


def test_without_the_setting_there_is_no_health_service(serve):
    _, stub = serve(wait=False, grpc_health=False)
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        check(stub, "")


def _known(stub, service: str) -> bool:
    try:
        check(stub, service)
    except grpc.RpcError:
        return False
    return True
