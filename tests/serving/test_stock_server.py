"""The original server's command line from our settings. What is started here is a stand-in, not the original."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving.core.batching_parameters import read_batching_parameters
from serving.errors import ServerStartError
from serving.flags import parse
from serving.settings import BatchingSettings, ServingSettings
from serving.stock_flags import batching_text
from serving.stock_server import plan_launch
from tests.deploy.test_flags import check

SETTINGS = {
    "port": 9000,
    "rest": {"port": 9001, "cors": True, "timeout_seconds": 2.5},
    "poll_seconds": 5.0,
    "batching": {"max_batch_size": 32, "allowed_batch_sizes": (8, 32), "num_batch_threads": 3},
    "saved_model_tags": ("serve", "gpu"),
    "intra_op_threads": 2,
}


@pytest.fixture
def path(tmp_path, monkeypatch) -> Path:
    """An empty folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def put(folder: Path, name: str, script: str = "exit 0") -> Path:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder / name


def test_every_flag_is_one_of_the_original_and_says_what_the_settings_say(path, tmp_path):
    put(path, "tensorflow_model_server")
    launch = plan_launch("dates", Path("/models/dates"), ServingSettings(**SETTINGS), tmp_path)
    assert [problem for problem in map(check, launch.command[1:]) if problem] == []
    # Our own reader of the same flags understands them in the same way.
    read = parse(launch.command[1:]).settings()
    wanted = ServingSettings(**SETTINGS)
    same = ("port", "poll_seconds", "saved_model_tags", "intra_op_threads", "max_threads", "enable_model_warmup")
    assert [getattr(read, name) for name in same] == [getattr(wanted, name) for name in same]
    assert (read.rest.port, read.rest.cors, read.rest.timeout_seconds) == (9001, True, 2.5)
    assert "--model_name=dates" in launch.command
    assert "--model_base_path=/models/dates" in launch.command


def test_the_file_of_batching_says_what_the_settings_say(tmp_path):
    settings = BatchingSettings(
        max_batch_size=32,
        batch_timeout_micros=7,
        max_enqueued_batches=9,
        num_batch_threads=3,
        enable_large_batch_splitting=True,
        max_execution_batch_size=16,
        allowed_batch_sizes=(8, 16),
        pad_variable_length_inputs=True,
    )
    (tmp_path / "batching.config").write_text(batching_text(settings))
    assert read_batching_parameters(tmp_path / "batching.config", BatchingSettings()) == settings


def test_files_are_written_where_the_server_finds_them(path, tmp_path):
    put(path, "tensorflow_model_server")
    launch = plan_launch("dates", Path("/models/dates"), ServingSettings(**SETTINGS), tmp_path)
    files = [argument.partition("=")[2] for argument in launch.command if "_file=" in argument]
    assert len(files) == 2
    assert all(Path(file).is_file() for file in files)


def test_docker_runs_the_pinned_image_and_publishes_on_the_configured_address(path, tmp_path):
    put(path, "docker")
    command = plan_launch("dates", Path("/models/dates"), ServingSettings(**SETTINGS), tmp_path).command
    image = command.index("tensorflow/serving:2.20.0")
    assert {"--publish=127.0.0.1:9000:8500", "--publish=127.0.0.1:9001:8501"} < set(command[:image])
    assert "--mount=type=bind,source=/models/dates,target=/models/dates,readonly" in command[:image]
    assert {"--port=8500", "--rest_api_port=8501", "--model_base_path=/models/dates"} < set(command[image:])
    assert [problem for problem in map(check, command[image + 1 :]) if problem] == []


def test_what_the_original_cannot_do_is_said(path, tmp_path):
    put(path, "tensorflow_model_server")
    settings = ServingSettings(specific_versions=(3,), security={"token_file": "tokens"})
    assert plan_launch("m", Path("/m"), settings, tmp_path).warnings == [
        "tensorflow_model_server has no specific_versions: it does not apply",
        "tensorflow_model_server has no security.token_file: it does not apply",
        "tensorflow_model_server listens on every interface, not on 127.0.0.1 alone",
    ]


def test_without_program_and_docker_the_way_out_is_named(path, tmp_path):
    with pytest.raises(ServerStartError, match=r"neither tensorflow_model_server nor docker.*leave --engine out"):
        plan_launch("m", Path("/m"), ServingSettings(), tmp_path)


def test_a_stop_is_handed_on_and_is_no_failure(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder, "tensorflow_model_server", 'echo "started $1"; exec sleep 60')
    code = (
        "from pathlib import Path; from serving.settings import ServingSettings;"
        "from serving.stock_server import run_stock_server;"
        f"raise SystemExit(run_stock_server('m', Path({str(tmp_path)!r}), ServingSettings(host='0.0.0.0')))"
    )
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    assert process.stdout.readline() == "started --port=8500\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
