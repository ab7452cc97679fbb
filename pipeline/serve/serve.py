"""Serves what was pushed, until told to stop."""

import enum
import signal
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from pipeline.config.config import Config
from pipeline.errors import NothingPushedError, ServerNotReadyError
from pipeline.run.log import output_to
from pipeline.run.output_folder import OutputFolder
from pipeline.serve import ports

if TYPE_CHECKING:
    from serving.server import Server

SECONDS_TO_LOAD = 120.0
SAVED_MODEL = ("saved_model.pb", "saved_model.pbtxt")


class Engine(enum.StrEnum):
    """What serves the model."""

    EMBEDDED = "embedded"
    TENSORFLOW_MODEL_SERVER = "tensorflow_model_server"


def serve(config: Config, engine: Engine = Engine.EMBEDDED) -> None:
    """Starts the server on the pushed versions and returns after SIGTERM or SIGINT."""
    folder = OutputFolder(config)
    version = folder.newest_version()
    if version is None:
        raise NothingPushedError(f"{folder.serving} holds no pushed model; make one first: seqline run")
    ports.require(config.serving.host, config.serving.port)
    if config.serving.rest.enabled and config.serving.rest.required:
        ports.require(config.serving.host, config.serving.rest.port, "serving.rest.port")
    if not any((version / name).is_file() for name in SAVED_MODEL):
        raise NothingPushedError(
            f"{version} is not a SavedModel: it holds no {SAVED_MODEL[0]}. Remove it, or push a model: seqline run"
        )
    if engine is Engine.TENSORFLOW_MODEL_SERVER:
        _serve_with_stock_server(config, folder)
        return
    with output_to(folder.logs / "serve.log") as stream:
        console = Console(file=stream)
        # Importing TensorFlow takes seconds; the errors above should not wait for it.
        from serving.server import Server

        # Until run_until_signal takes over: a stop while the model is loading is no failure either.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        with Server(config.name, str(folder.serving), config.serving) as server:
            server.wait_until_available(SECONDS_TO_LOAD)
            console.print(
                f"Serving {config.name}, version {version.name}, on {_addresses(server)}. Ctrl-C stops it.",
                highlight=False,
                soft_wrap=True,
            )
            server.run_until_signal()


def _serve_with_stock_server(config: Config, folder: OutputFolder) -> None:
    from serving.stock_server import PROGRAM, run_stock_server

    status = run_stock_server(config.name, folder.serving, config.serving)
    if status:
        raise ServerNotReadyError(f"{PROGRAM} ended with status {status}; what it said above tells why")


def _addresses(server: "Server") -> str:
    return f"{server.address} (gRPC)" + (f" and {server.rest_address} (REST)" if server.rest_address else "")
