"""Starting and stopping: in this process, and as the program `python -m serving`."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest
import tensorflow as tf

from serving.client import Client
from serving.errors import NoServerError, ServerStartError
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models
from tests.serving.conftest import QUICK, Stub, eventually, refused

REPOSITORY = Path(__file__).parents[2]


def test_port_0_asks_for_any_free_port(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    first, _ = serve()
    second, stub = serve()
    assert 0 < first.port != second.port > 0
    assert stub.y(2) == [3]


def test_the_port_is_open_before_the_model_is_there(serve, base, exported):
    server, stub = serve(wait=False)
    with pytest.raises(grpc.RpcError) as caught:
        stub.predict(x=[1.0])
    assert caught.value.details() == "Servable not found for request: Latest(m)"
    saved_models.publish(exported / "line2", base, 1)
    server.wait_until_available(10)
    assert stub.y(2) == [3]


def test_a_used_port_is_named_with_the_way_out(serve, base):
    server, _ = serve(wait=False)
    second = Server("m", base, ServingSettings(**{**QUICK, "port": server.port}))
    with pytest.raises(ServerStartError) as caught:
        second.start()
    second.stop()  # harmless after a failed start
    assert f"127.0.0.1:{server.port}" in str(caught.value)
    assert "--port" in str(caught.value)


def test_only_this_machine_is_listened_to_by_default(serve, base):
    server, _ = serve(wait=False)
    assert server.address.startswith("127.0.0.1:")
    # Any other address of the machine has to refuse; 127.0.0.2 is one on every Linux.
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.2", server.port)) != 0


def test_a_unix_socket_can_be_listened_to_as_well(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    serve(grpc_socket_path=str(tmp_path / "socket"))
    stub = Stub(f"unix:{tmp_path / 'socket'}", "m")
    assert stub.y(2) == [3]
    stub.channel.close()


def test_a_unix_socket_may_be_all_there_is(serve, base, exported, tmp_path):
    saved_models.publish(exported / "line2", base, 1)
    server, _ = serve(grpc_socket_path=str(tmp_path / "socket"), grpc_tcp=False)
    assert server.port == 0
    stub = Stub(f"unix:{tmp_path / 'socket'}", "m")
    assert stub.y(2) == [3]
    stub.channel.close()


def test_one_request_more_than_allowed_is_refused(serve, base, tmp_path):
    gate = saved_models.Gate()
    gate.save(tmp_path / "gate")
    saved_models.publish(tmp_path / "gate", base, 1)
    _, stub = serve(max_concurrent_requests=1)
    held = stub.prediction.Predict.future(stub.request(x=[0.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        stub.predict(x=[0.0])
    gate.open.set()
    held.result(10)


def test_a_base_path_that_is_no_folder_is_refused_where_one_is_required(tmp_path):
    (tmp_path / "file").touch()
    for path, what in ((tmp_path / "file", "a file"), (tmp_path / "missing", "not there")):
        with pytest.raises(ServerStartError, match=f"{path} is {what}"):
            Server("m", path, ServingSettings(port=0, models={"require_base_path": True})).start()


def test_a_base_path_that_is_not_there_yet_is_waited_for(serve, base, exported):
    base.rmdir()
    server, stub = serve(wait=False)
    with pytest.raises(ServerStartError, match=f"base path {base} cannot be read"):
        server.wait_for_news(10)
    base.mkdir()
    saved_models.publish(exported / "line1", base, 1)
    server.wait_until_available(10)
    assert stub.y(0) == [1]


def test_a_version_folder_that_is_no_saved_model_is_named(serve, base):
    (base / "1").mkdir()
    server, _ = serve(wait=False)
    with pytest.raises(ServerStartError, match="1 holds no saved_model.pb"):
        server.wait_until_available(0.5)


def test_an_empty_base_folder_is_named(serve, base):
    server, _ = serve(wait=False)
    with pytest.raises(ServerStartError, match=f"{base} holds no version folder"):
        server.wait_until_available(0.5)


def test_a_failed_first_load_ends_the_wait_at_once(serve, base):
    (base / "1").mkdir()
    (base / "1" / "saved_model.pb").write_bytes(b"no protocol buffer")
    server, _ = serve(wait=False)
    started = time.monotonic()
    with pytest.raises(ServerStartError, match="version 1: cannot read"):
        server.wait_until_available(30)
    assert time.monotonic() - started < 10


def test_stopping_lets_running_requests_finish(base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server = Server("m", base, ServingSettings(**QUICK))
    server.start()
    server.wait_until_available(20)
    stub = Stub(server.address, "m")
    running = stub.prediction.Predict.future(stub.request(x=[7.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    stopping = threading.Thread(target=server.stop, args=[15])
    stopping.start()
    other = Stub(server.address, "m")

    def refuses() -> bool:
        try:
            other.status()
        except grpc.RpcError as error:
            return error.code() is grpc.StatusCode.UNAVAILABLE
        return False

    eventually(refuses)
    assert not running.done()
    gate.open.set()
    assert tf.make_ndarray(running.result(10).outputs["y"]).tolist() == [7]
    stopping.join(15)
    assert not stopping.is_alive()


def test_stopping_cuts_off_what_outlives_the_grace(base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server = Server("m", base, ServingSettings(**QUICK))
    server.start()
    server.wait_until_available(20)
    stub = Stub(server.address, "m")
    running = stub.prediction.Predict.future(stub.request(x=[7.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    threading.Timer(2.0, gate.open.set).start()
    server.stop(0.3)
    with pytest.raises(grpc.RpcError):
        running.result(10)


class Program:
    """`python -m serving` in a process of its own."""

    def __init__(self, log: Path, *flags: str) -> None:
        self._log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving", *flags], stdout=out, stderr=subprocess.STDOUT, cwd=REPOSITORY
            )

    def output(self) -> str:
        return self._log.read_text()

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_file_of_models_that_cannot_be_read_ends_the_program_in_the_words_of_the_original(tmp_path):
    file = tmp_path / "models.config"
    file.write_text('model_config_list { improper: "x" }')
    command = [sys.executable, "-m", "serving", f"--model_config_file={file}", f"--port={free_port()}"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 255
    assert (
        'Error parsing text-format tensorflow.serving.ModelServerConfig: 1:21: Message type "tensorflow.serving.'
        'ModelConfigList" has no field named "improper".'
    ) in done.stderr
    assert done.stdout.startswith(f"Failed to start server. Error: INVALID_ARGUMENT: Invalid protobuf file: '{file}'")


def test_the_program_serves_and_ends_cleanly_on_sigterm(base, exported, tmp_path):
    saved_models.publish(exported / "text", base, 1)
    port = free_port()
    flags = [
        f"--port={port}",
        "--model_name=sentiment",
        f"--model_base_path={base}",
        "--enable_batching",
        "--nonsense=1",
    ]
    with Program(tmp_path / "log", *flags) as program:
        with Client(f"127.0.0.1:{port}", "sentiment", timeout=60, retry_seconds=60) as client:
            eventually(lambda: "available after" in program.output(), timeout=60)
            assert client.classify_texts(["so good", "so bad"])[0].label == "pos"
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(20) == 0
        with Client(f"127.0.0.1:{port}", "sentiment", retry_seconds=0.1) as client, pytest.raises(NoServerError):
            client.status()
        output = program.output()
    assert "unknown argument: --nonsense=1" in output
    assert "SIGTERM received: stopping" in output
    assert "every running request answered" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port=many"], "--port takes a whole number, got 'many'"),
        ([], "Both server_options.model_base_path and server_options.model_config_file are empty!"),
        (["--model_base_path=/nowhere/at/all", "--require_base_path"], "/nowhere/at/all is not there"),
        (
            ["--model_base_path=/", "--port=0"],
            "At least one of server_options.grpc_port or server_options.grpc_socket_path must be set.",
        ),
        (
            ["--use_alts_credentials"],
            "--use_alts_credentials is not supported, leave it out: ALTS exists inside Google's cloud only",
        ),
    ],
    ids=["bad value", "no model", "no folder", "no address", "not supported"],
)
def test_the_program_says_in_one_line_why_it_cannot_start(flags, message, monkeypatch, capsys):
    from serving.__main__ import main

    assert main([*flags]) == 255
    told = capsys.readouterr()
    # Where the original says it, too.
    assert message in told.out
    assert told.out.count("\n") == 1 and told.err == ""


def test_by_the_original_rule_the_port_opens_after_the_first_load(serve, base, exported):
    saved_models.publish(exported / "line1", base, 1)
    _, stub = serve(wait=False, models={"ports_open_at_once": False})
    assert stub.y(0) == [1]


def test_by_the_original_rule_a_model_that_fails_ends_the_start(serve, base, exported):
    (saved_models.publish(exported / "line1", base, 1) / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(ServerStartError) as caught:
        serve(wait=False, models={"ports_open_at_once": False, "max_load_retries": 1})
    assert str(caught.value).startswith(
        "UNKNOWN: 1 servable(s) did not become available: {{{name: m version: 1} due to error: DATA_LOSS: cannot read "
    )


def test_a_file_of_models_that_is_none_is_named(serve, tmp_path):
    file = tmp_path / "models.config"
    file.write_text("model_config_list { nonsense }")
    with pytest.raises(ServerStartError) as caught:
        serve(wait=False, models={"config_file": str(file)})
    assert str(caught.value).startswith(f"INVALID_ARGUMENT: Invalid protobuf file: '{file}' (1:21 : ")
