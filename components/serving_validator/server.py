"""The real server on a model that is to be validated."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import serving
from components import ports
from components.errors import NotServableError
from components.server_process import ServerNotUpError, server_process
from serving.client import Client
from serving.errors import ServingError
from serving.settings import ServingSettings

_HOST = "127.0.0.1"
_LOAD_SECONDS = 300.0
_STOP_SECONDS = 15.0
_LOG_TAIL = 1500


@contextlib.contextmanager
def server(name: str, base_path: Path, settings: ServingSettings, log: Path) -> Iterator[Client]:
    """Runs the real server on the model, with nothing of ours in its process but the server, and ends it."""
    port = ports.bind(_HOST, 0)
    command = [
        *(sys.executable, "-m", "serving"),
        f"--port={port}",
        f"--host={_HOST}",
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
    with Client(f"{_HOST}:{port}", name, timeout=60.0, retry_seconds=0.0) as client, contextlib.ExitStack() as stack:
        started = server_process(command, log, lambda: _is_available(client), _LOAD_SECONDS, _STOP_SECONDS, environment)
        try:
            stack.enter_context(started)
        except ServerNotUpError as error:
            reason = f"the server did not load it within {_LOAD_SECONDS:g} seconds"
            if error.status is not None:
                reason = f"the server ended with status {error.status}"
            raise NotServableError(f"{reason}: {_tail(log)}") from error
        yield client


def _is_available(client: Client) -> bool:
    # Before the port is open, or before the first look into the folder.
    with contextlib.suppress(ServingError):
        for version in client.status(timeout=5.0):
            if version.state == "AVAILABLE":
                return True
            if version.error:
                raise NotServableError(f"the server cannot load it: {version.error}")
    return False


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()
