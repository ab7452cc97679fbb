"""The end of a server: nothing that it was asked is lost."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from serving.client import Client
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, Stub, eventually, refused
from tests.serving.rest.http_call import call
from tests.serving.test_server import REPOSITORY, Program, free_port


def test_a_server_that_is_about_to_end_says_so_and_answers(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve(rest={"port": 0})
    assert "Connection" not in call(server, "GET", "/v1/models/m").headers
    server.begin_drain()
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    health = health_pb2_grpc.HealthStub(stub.channel)
    for service in ("", "m", "PredictionService"):
        assert health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5).status == 2
    assert call(server, "GET", "/readyz").status == 503
    assert stub.y(2) == [3]
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": [2.0]})
    assert (reply.status, reply.headers["Connection"]) == (200, "close")


RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


class Load:
    """Clients that ask without a pause; what is not answered is kept with its words."""

    def __init__(self, count: int, ask) -> None:
        self.failures: list[str] = []
        self.answered = 0
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(ask,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, ask) -> None:
        while not self._stopped.is_set():
            try:
                ask()
                self.answered += 1
            except Exception as error:
                self.failures.append(str(error))
                time.sleep(0.02)

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def refused_connections(failures: list[str]) -> list[str]:
    return [one for one in failures if "failed to connect" in one or "Connection refused" in one]


def test_official_stubs_that_try_again_lose_nothing(base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server = Server("m", base, ServingSettings(**QUICK))
    server.start()
    server.wait_until_available(20)
    options = [("grpc.service_config", json.dumps(RETRIES)), ("grpc.enable_retries", 1)]
    stub = Stub(server.address, "m")
    stub.channel = grpc.insecure_channel(server.address, options)
    from tensorflow_serving.apis import prediction_service_pb2_grpc

    stub.prediction = prediction_service_pb2_grpc.PredictionServiceStub(stub.channel)
    load = Load(8, lambda: stub.y(2))
    eventually(lambda: load.answered > 50)
    server.begin_drain()
    time.sleep(0.2)
    server.stop()
    load.stop()
    # Nobody listens any more: that is all that a client may hear.
    assert load.failures == refused_connections(load.failures)


def test_our_client_goes_on_with_the_next_server(base, exported):
    saved_models.publish(exported / "line2", base, 1)
    port = free_port()
    settings = ServingSettings(**{**QUICK, "port": port})
    with contextlib.ExitStack() as stack:
        first = Server("m", base, settings)
        first.start()
        first.wait_until_available(20)
        client = stack.enter_context(Client(f"127.0.0.1:{port}", "m", retry_seconds=20))
        load = Load(4, client.status)
        eventually(lambda: load.answered > 50)
        first.stop()
        second = stack.enter_context(Server("m", base, settings))
        second.wait_until_available(20)
        before = load.answered
        eventually(lambda: load.answered > before + 20)
        load.stop()
    assert load.failures == []


def test_clients_with_open_connections_lose_nothing(base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server = Server("m", base, ServingSettings(**QUICK))
    server.start()
    server.wait_until_available(20)
    held = threading.local()

    def ask() -> None:
        connection = getattr(held, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=10)
            connection.connect()
            held.connection = connection
        connection.request("POST", "/v1/models/m:predict", b'{"instances": [1.0]}')
        response = connection.getresponse()
        response.read()
        if response.getheader("Connection") == "close":
            connection.close()
            held.connection = None

    load = Load(8, ask)
    eventually(lambda: load.answered > 50)
    server.begin_drain()
    time.sleep(0.3)
    started = time.monotonic()
    server.stop(5)
    assert time.monotonic() - started < 4
    load.stop()
    assert load.failures == refused_connections(load.failures)


def wait_for_line(program: Program, text: str) -> None:
    eventually(lambda: text in program.output() or program.process.poll() is not None, timeout=90)
    assert text in program.output()


@pytest.fixture
def sleeping_program(base, tmp_path):
    saved_models.save_sleeper(tmp_path / "sleeper")
    saved_models.publish(tmp_path / "sleeper", base, 1)
    port = free_port()
    flags = [f"--port={port}", "--model_name=m", f"--model_base_path={base}", "--grace_seconds=30"]
    with Program(tmp_path / "log", *flags, "--lame_duck_seconds=1.5") as program:
        wait_for_line(program, "serving m")
        stub = Stub(f"127.0.0.1:{port}", "m")
        stub.predict(seconds=[0.0])
        yield program, stub
        stub.channel.close()


def test_after_sigterm_requests_pass_for_a_while_and_running_ones_are_answered(sleeping_program):
    program, stub = sleeping_program
    running = stub.prediction.Predict.future(stub.request(seconds=[3.0]), timeout=20)
    time.sleep(0.3)
    program.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert stub.predict(seconds=[0.0])
    assert running.result(10)
    assert program.process.wait(10) == 0
    assert "every running request answered" in program.output()


def test_a_second_signal_ends_the_waiting(sleeping_program):
    program, stub = sleeping_program
    running = stub.prediction.Predict.future(stub.request(seconds=[20.0]), timeout=30)
    time.sleep(0.3)
    started = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(15) == 0
    assert time.monotonic() - started < 12
    with refused(grpc.StatusCode.UNAVAILABLE) if running.done() else pytest.raises(grpc.RpcError):
        running.result(5)
    assert "not waiting for running requests" in program.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_first_seconds_ends_without_a_stack_trace(base, number):
    started = subprocess.Popen(
        [sys.executable, "-m", "serving", f"--model_base_path={base}", "--port=0"],
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    time.sleep(1.0)
    if started.poll() is None:
        started.send_signal(number)
    _, errors = started.communicate(timeout=30)
    assert b"Traceback" not in errors
