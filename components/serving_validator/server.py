"""The real server in a process of its own."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import serving
from components.errors import NotServableError
from serving.client import Client
from serving.errors import ServingError
from serving.settings import ServingSettings

_LOAD_SECONDS = 300.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1
_LOG_TAIL = 1500


@contextlib.contextmanager
def server(name: str, base_path: Path, settings: ServingSettings, log: Path) -> Iterator[Client]:
    """Runs the real server on the model, with nothing of ours in its process but the server, and ends it."""
    port = _free_port()
    arguments = [
        f"--port={port}",
        "--host=127.0.0.1",
        f"--model_name={name}",
        f"--model_base_path={base_path}",
        f"--enable_batching={str(settings.batching.enabled).lower()}",
        # The port tells a failed load at once; else the server would stay silent through minutes of retries.
        "--ports_open_at_once",
        "--retry_for_ever",
    ]
    packages = str(Path(serving.__file__).parents[1])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH", "")])),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", *arguments], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with Client(f"127.0.0.1:{port}", name, timeout=60.0, retry_seconds=0.0) as client:
            _wait_until_available(client, process, log)
            yield client
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_available(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotServableError(f"the server ended with status {process.returncode}: {_tail(log)}")
        # Before the port is open, or before the first look into the folder.
        with contextlib.suppress(ServingError):
            for version in client.status(timeout=5.0):
                if version.state == "AVAILABLE":
                    return
                if version.error:
                    raise NotServableError(f"the server cannot load it: {version.error}")
        time.sleep(_POLL_SECONDS)
    raise NotServableError(f"the server did not load it within {_LOAD_SECONDS:g} seconds: {_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
