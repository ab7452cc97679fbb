"""Runs the original `tensorflow_model_server`, as program or container, with the settings of the embedded server."""

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from serving.errors import ServerStartError
from serving.settings import ServingSettings
from serving.stock_flags import flags

PROGRAM = "tensorflow_model_server"
IMAGE = "tensorflow/serving:2.20.0"
_CONFIG_IN_CONTAINER = "/etc/tensorflow-serving"
_MODELS_IN_CONTAINER = "/models"
# Settings that the original has no flag for: by name, the value that needs none.
_EMBEDDED_ONLY = {
    "specific_versions": (),
    "num_versions": 1,
    "security.token_file": "",
    "request_log.folder": "",
    "rest.tls": False,
    "rest.max_body_bytes": 100 * 2**20,
}


@dataclass(frozen=True)
class Launch:
    """How the original server is started.

    Attributes:
        command: Program and arguments.
        warnings: What differs from the embedded server, in words.
    """

    command: list[str]
    warnings: list[str]


def run_stock_server(name: str, base_path: Path, settings: ServingSettings) -> int:
    """Starts the original server and waits until it ends; SIGTERM and SIGINT are handed on.

    Returns:
        Its exit status.

    Raises:
        ServerStartError: Neither the program nor Docker is there.
    """
    with tempfile.TemporaryDirectory(prefix="tensorflow-serving-") as folder:
        launch = plan_launch(name, base_path.resolve(), settings, Path(folder))
        for warning in launch.warnings:
            print(warning, flush=True)
        started: list[subprocess.Popen[bytes]] = []
        early: list[int] = []

        def hand_on(number: int, _: FrameType | None) -> None:
            if started:
                started[0].send_signal(number)
            else:
                early.append(number)

        # Before the server starts: a stop in between would end us alone and leave it running.
        before = {number: signal.signal(number, hand_on) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            started.append(subprocess.Popen(launch.command))
            for number in early:
                started[0].send_signal(number)
            status = started[0].wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    # Stopped by a signal is how this server ends; it has no other way.
    return 0 if status in (-signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT) else status


def plan_launch(name: str, base_path: Path, settings: ServingSettings, folder: Path) -> Launch:
    """Chooses program or container and puts the command line together.

    Args:
        name: Model name.
        base_path: Folder with one folder per version.
        settings: Those of the embedded server.
        folder: Where configuration files are written.

    Raises:
        ServerStartError: Neither the program nor Docker is there.
    """
    warnings = [
        f"{PROGRAM} has no {setting}: it does not apply"
        for setting, plain in _EMBEDDED_ONLY.items()
        if _value(settings, setting) != plain
    ]
    if program := shutil.which(PROGRAM):
        if settings.host != "0.0.0.0":  # noqa: S104  # said, not listened to
            warnings.append(f"{PROGRAM} listens on every interface, not on {settings.host} alone")
        ports = (settings.port, settings.rest.port)
        return Launch([program, *flags(name, str(base_path), settings, folder, str(folder), ports)], warnings)
    if docker := shutil.which("docker"):
        return Launch(_container(docker, name, base_path, settings, folder), warnings)
    raise ServerStartError(
        f"there is neither {PROGRAM} nor docker on the PATH. Install one of them, or serve with the embedded server: "
        "leave --engine out"
    )


def _container(docker: str, name: str, base_path: Path, settings: ServingSettings, folder: Path) -> list[str]:
    seen = f"{_MODELS_IN_CONTAINER}/{name}"
    published = [f"{settings.host}:{settings.port}:8500"]
    if settings.rest.enabled:
        published.append(f"{settings.host}:{settings.rest.port}:8501")
    mounts = {base_path: seen, folder: _CONFIG_IN_CONTAINER}
    return [
        *(docker, "run", "--rm", "--init", f"--user={os.getuid()}:{os.getgid()}"),
        *(f"--publish={ports}" for ports in published),
        *(f"--mount=type=bind,source={source},target={target},readonly" for source, target in mounts.items()),
        f"--entrypoint=/usr/bin/{PROGRAM}",
        IMAGE,
        *flags(name, seen, settings, folder, _CONFIG_IN_CONTAINER, (8500, 8501)),
    ]


def _value(settings: ServingSettings, dotted: str) -> object:
    value: object = settings
    for part in dotted.split("."):
        value = getattr(value, part)
    return value
