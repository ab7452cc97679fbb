"""Ports that are open before the models, and before TensorFlow."""

import subprocess
import sys

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.client import Client
from serving.core.store import ModelStore
from serving.errors import STARTING, ServerStartError, UnavailableError
from serving.ports import Ports
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, Stub, eventually, refused
from tests.serving.rest.http_call import call
from tests.serving.test_server import REPOSITORY, Program, free_port

SETTINGS = ServingSettings(**QUICK)


@pytest.fixture
def ports():
    """Open ports of a model that is to come."""
    with Ports(SETTINGS, ["m"]) as ports:
        ports.open()
        yield ports


@pytest.fixture
def stub(ports):
    stub = Stub(ports.address, "m")
    yield stub
    stub.channel.close()


def is_serving(stub: Stub, service: str) -> bool:
    asked = health_pb2.HealthCheckRequest(service=service)
    answer = health_pb2_grpc.HealthStub(stub.channel).Check(asked, timeout=5)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def test_health_tells_what_is_to_come(ports, stub):
    assert call(ports, "GET", "/healthz").status == 200
    reply = call(ports, "GET", "/readyz")
    assert (reply.status, reply.json) == (503, {"ready": False, "models": {"m": False}})
    assert not is_serving(stub, "m")
    assert not is_serving(stub, "")


def test_everybody_else_is_told_that_the_server_is_starting(ports, stub):
    for method, path in (("POST", "/v1/models/m:predict"), ("GET", "/v1/models/m"), ("GET", "/seqline/models")):
        reply = call(ports, method, path, b"{}" if method == "POST" else None)
        assert (reply.status, reply.error) == (503, STARTING)
    with refused(grpc.StatusCode.UNAVAILABLE, STARTING):
        stub.predict(x=[2.0])
    with Client(ports.address, "m", retry_seconds=0.2) as client, pytest.raises(UnavailableError, match=STARTING):
        client.status()


def test_the_ports_stay_when_the_server_comes(ports, stub, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    with refused(grpc.StatusCode.UNAVAILABLE, STARTING):
        stub.status()
    with Server("m", base, SETTINGS, ports) as server:
        assert (server.port, server.rest_port) == (ports.grpc_port, ports.rest_port)
        server.wait_until_available(20)
        assert stub.y(2) == [3]
        assert call(server, "POST", "/v1/models/m:predict", {"instances": [2.0]}).status == 200
        assert call(server, "GET", "/readyz").status == 200
        assert is_serving(stub, "m") and is_serving(stub, "")
        with refused(grpc.StatusCode.UNIMPLEMENTED):
            stub.channel.unary_unary("/tensorflow.serving.PredictionService/Other")(b"", timeout=5)


def test_nothing_is_ready_before_the_models_begin_to_load(ports, base, monkeypatch):
    begin, told = ModelStore.start, []

    def start(store: ModelStore) -> None:
        told.append(call(ports, "GET", "/readyz").json)
        begin(store)

    monkeypatch.setattr(ModelStore, "start", start)
    with Server("m", base, SETTINGS, ports):
        told.append(call(ports, "GET", "/readyz").json)
    assert told == 2 * [{"ready": False, "models": {"m": False}}]


def test_a_port_in_use_is_named_before_anything_is_loaded(ports):
    taken = SETTINGS.model_copy(update={"port": ports.grpc_port})
    with Ports(taken) as others, pytest.raises(ServerStartError, match=f"{ports.address}: another program uses it"):
        others.open()


def test_open_ports_need_no_tensorflow():
    program = (
        "import sys; from serving.ports import Ports; from serving.settings import ServingSettings\n"
        "with Ports(ServingSettings(port=0, rest={'port': 0}), ['m']) as ports: ports.open()\n"
        "print([name for name in ('tensorflow', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_program_says_what_concerns_it_and_nothing_else(base, exported, tmp_path):
    saved_models.publish(exported / "text", base, 1)
    port = free_port()
    flags = [f"--port={port}", "--model_name=m", f"--model_base_path={base}", "--ports_open_at_once"]
    with Program(tmp_path / "log", *flags) as program:
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        grpc.channel_ready_future(channel).result(60)
        # The port is open, and TensorFlow still to come.
        assert "serving m" not in program.output()
        channel.close()
        eventually(lambda: "available after" in program.output(), timeout=120)
        lines = program.output().splitlines()
        assert all(" INFO " in line for line in lines), lines
