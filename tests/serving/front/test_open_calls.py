"""gRPC calls that begin and never go on, and streams that stay open."""

import contextlib
import threading

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

PREDICT = "/tensorflow.serving.PredictionService/Predict"


@contextlib.contextmanager
def begun(server, count: int):
    """So many calls whose message never comes."""
    never = threading.Event()

    def messages():
        never.wait(30)
        return
        yield b""

    with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        yield [channel.stream_unary(PREDICT).future(messages()) for _ in range(count)]
        never.set()


@pytest.fixture
def line_server(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    return serve


def test_calls_without_their_message_hold_up_nobody(line_server):
    server, stub = line_server(max_threads=2, max_concurrent_requests=8)
    with begun(server, 24):
        assert all(stub.y(2) == [3] for _ in range(20))


def test_a_call_that_sends_no_message_is_ended(line_server):
    server, _ = line_server(message_seconds=0.3)
    with begun(server, 1) as (one,), refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        one.result(10)
    assert one.details() == "the message of the call was not there after 0.3 s"


def test_calls_without_their_message_have_a_limit(line_server):
    server, stub = line_server(max_concurrent_requests=1)
    with begun(server, 5) as calls:
        eventually(lambda: any(one.done() for one in calls))
        assert [one.code() for one in calls if one.done()] == [grpc.StatusCode.RESOURCE_EXHAUSTED]
    eventually(lambda: stub.y(2) == [3])


def test_who_has_no_token_is_refused_before_his_message(line_server, tmp_path):
    (tmp_path / "tokens").write_text("secret")
    server, _ = line_server(security={"token_file": str(tmp_path / "tokens")})
    with begun(server, 1) as (one,), refused(grpc.StatusCode.UNAUTHENTICATED):
        one.result(5)


def test_open_streams_of_reflection_hold_up_nobody(line_server):
    server, stub = line_server(max_threads=2, max_concurrent_requests=8)
    never = threading.Event()

    def questions():
        yield reflection_pb2.ServerReflectionRequest(list_services="")
        never.wait(30)

    with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        streams = [reflection.ServerReflectionInfo(questions()) for _ in range(20)]
        for stream in streams:
            assert next(stream).list_services_response.service
        assert stub.y(2) == [3]
        never.set()


def test_streams_have_a_limit(line_server, monkeypatch):
    monkeypatch.setattr("serving.grpc.listener._STREAMS", 2)
    server, stub = line_server()
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    watch = health_pb2_grpc.HealthStub(stub.channel).Watch
    held = [watch(health_pb2.HealthCheckRequest(service="m"), timeout=20) for _ in range(2)]
    assert [next(one).status for one in held] == [1, 1]
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        next(watch(health_pb2.HealthCheckRequest(service="m"), timeout=20))
    for one in held:
        one.cancel()


def test_connections_have_a_limit(line_server):
    import socket

    server, stub = line_server(max_connections=3)
    assert stub.y(2) == [3]
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 5)) for _ in range(6)]
        eventually(lambda: sum(map(_is_closed, made)) >= 4)
        assert stub.y(2) == [3]


def _is_closed(connection) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, 2) == b""  # MSG_PEEK
    except BlockingIOError:
        return False
    except OSError:
        return True
