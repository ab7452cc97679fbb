"""While models are busy: who asks for health is answered, time limits hold, and nobody works for those who left."""

import socket
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused
from tests.serving.rest.http_call import call

WITHOUT_BATCHING = {"enabled": False}
NO_BATCHING = pytest.mark.parametrize("batching", [{}, WITHOUT_BATCHING], ids=["batching", "no batching"])


@pytest.fixture
def sleeper(serve, base, tmp_path):
    saved_models.save_sleeper(tmp_path / "sleeper")
    saved_models.publish(tmp_path / "sleeper", base, 1)
    return lambda **settings: serve(**settings)


@NO_BATCHING
def test_questions_about_health_are_answered_while_every_thread_is_busy(sleeper, batching):
    server, stub = sleeper(batching=batching, max_threads=2, rest={"port": 0, "max_threads": 2, "timeout_seconds": 9})
    asked = [stub.prediction.Predict.future(stub.request(seconds=[3.0]), timeout=9) for _ in range(70)]
    held = [socket.create_connection(("127.0.0.1", server.rest_port)) for _ in range(8)]
    for one in held:
        body = b'{"instances": [3.0]}'
        one.sendall(b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    time.sleep(0.5)
    health = health_pb2_grpc.HealthStub(stub.channel)
    started = time.monotonic()
    for service in ("", "m"):
        assert health.Check(health_pb2.HealthCheckRequest(service=service), timeout=2).status == 1
    for path in ("/healthz", "/readyz", "/readyz/m", "/monitoring/prometheus/metrics"):
        assert call(server, "GET", path).status == 200
    assert time.monotonic() - started < 2
    assert not any(one.done() for one in asked)
    for one in asked:
        one.cancel()
    for one in held:
        one.close()


@NO_BATCHING
def test_a_run_ends_with_the_time_limit_of_the_server(sleeper, batching):
    server, stub = sleeper(batching=batching, request_timeout_seconds=0.5, rest={"port": 0, "timeout_seconds": 0.5})
    started = time.monotonic()
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED, "Timed out waiting for notification"):
        stub.predict(seconds=[30.0])
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": [30.0]})
    assert (reply.status, reply.error) == (504, "Timed out waiting for notification")
    # The run itself is over, not just the wait for it.
    eventually(lambda: server._grpc_work.running == 0 and server._rest_work.running == 0, 3)
    assert time.monotonic() - started < 6


@NO_BATCHING
def test_a_run_ends_with_the_deadline_of_its_caller(sleeper, batching):
    server, stub = sleeper(batching=batching)
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        stub.predict(seconds=[30.0], timeout=0.5)
    eventually(lambda: server._grpc_work.running == 0, 3)


def test_a_request_that_expires_in_the_queue_of_batches_is_one_too_many(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    limits = {"request_timeout_seconds": 1.0, "rest": {"port": 0, "timeout_seconds": 1.0}}
    server, stub = serve(batching={"num_batch_threads": 1, "max_batch_size": 2}, **limits)
    runs = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    expired = "Run() timeout exceeded while waiting in batching queue"
    # The second one waits in pieces.
    for rows in ([2.0], [2.0, 3.0, 4.0]):
        reply = call(server, "POST", "/v1/models/m:predict", {"instances": rows})
        assert (reply.status, reply.error) == (429, expired)
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, expired):
        stub.y(1.0)
    assert runs.exception(10).code() is grpc.StatusCode.DEADLINE_EXCEEDED  # it was running
    gate.open.set()
    eventually(lambda: server._rest_work.running == 0)
    assert gate.rows == [1]


def test_what_waits_for_a_caller_who_left_never_runs(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server, stub = serve(batching={"num_batch_threads": 1, "max_batch_size": 1})
    first = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    left = [stub.prediction.Predict.future(stub.request(x=[float(n)]), timeout=20) for n in range(5)]
    eventually(lambda: len(server._runner._waiting) == 5)
    for one in left:
        one.cancel()
    time.sleep(0.3)
    gate.open.set()
    first.result(10)
    eventually(lambda: server._grpc_work.running == 0)
    assert gate.rows == [1]


def test_a_model_stays_in_memory_until_the_run_of_a_caller_who_left_has_ended(serve, base, exported, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    _, stub = serve(batching=WITHOUT_BATCHING)
    asked = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    asked.cancel()
    saved_models.publish(exported / "line2", base, 2)
    eventually(lambda: stub.states() == {1: "UNLOADING", 2: "AVAILABLE"})
    gate.open.set()
    eventually(lambda: stub.states() == {1: "END", 2: "AVAILABLE"})
