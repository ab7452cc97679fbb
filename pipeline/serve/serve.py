"""Serves what was pushed, until told to stop."""

import contextlib
import enum
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from components.versions import versions_in
from pipeline.config.config import Config
from pipeline.errors import NothingPushedError, ServerNotReadyError
from pipeline.run.log import output_to
from pipeline.run.output_folder import OutputFolder
from pipeline.serve import ports as free_ports
from serving.front.limits import raise_file_limit
from serving.ports import Ports
from serving.tensorflow_import import name_a_temporary_folder

if TYPE_CHECKING:
    from serving.core.store import ModelSummary
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
    alone = not config.serving.models.config_file
    versions = versions_in(folder.serving)
    if alone and not versions:
        raise NothingPushedError(f"{folder.serving} holds no pushed model; make one first: seqline run")
    free_ports.require(config.serving.host, config.serving.port)
    if config.serving.rest.enabled and config.serving.rest.required:
        free_ports.require(config.serving.host, config.serving.rest.port, "serving.rest.port")
    if alone:
        _require_saved_model(versions)
    if engine is Engine.TENSORFLOW_MODEL_SERVER:
        _serve_with_stock_server(config, folder)
        return
    # Until run_until_signal takes over: a stop while the model is loading is no failure either.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    # Before ports ask how many connections they may hold.
    raise_file_limit()
    with (
        _own_words(folder.logs / "serve.log") as stream,
        Ports(config.serving, [config.name] if alone else []) as ports,
    ):
        console = Console(file=stream)
        if config.serving.models.ports_open_at_once:
            ports.open()
        # Importing TensorFlow takes seconds, in which health answers already.
        name_a_temporary_folder()
        from serving.server import Server, prepare_process

        prepare_process()
        with Server(config.name, str(folder.serving), config.serving, ports) as server:
            models = server.wait_for_news(SECONDS_TO_LOAD)
            for line in _answering(models, _addresses(server)):
                console.print(line, highlight=False, soft_wrap=True)
            with _log_with_times(stream):
                server.run_until_signal()


def _require_saved_model(versions: Mapping[int, Path]) -> None:
    if not any((version / name).is_file() for version in versions.values() for name in SAVED_MODEL):
        raise NothingPushedError(
            f"{versions[max(versions)]} is not a SavedModel: it holds no {SAVED_MODEL[0]}. Remove it, or push a model: "
            "seqline run"
        )


@contextlib.contextmanager
def _own_words(log: Path) -> Iterator[TextIO]:
    """A stream to the terminal, while all else goes to a file, or nowhere where that cannot be written."""
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(output_to(log))
            stack.enter_context(_log_with_times(sys.stderr))
        except OSError as error:
            stream = stack.enter_context(output_to(Path(os.devnull)))
            print(f"{log} cannot be written ({error.strerror}): nothing is kept of the log", file=stream, flush=True)
        yield stream


@contextlib.contextmanager
def _log_with_times(stream: TextIO) -> Iterator[None]:
    """Versions that come and go, and the stop, are written to a stream too."""
    log = logging.getLogger("seqline")
    before = log.level, log.propagate
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    # Not to TensorFlow's handler as well, which writes to the same file.
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before[0])
        log.propagate = before[1]


def _answering(models: Iterable["ModelSummary"], addresses: str) -> Iterator[str]:
    """What answers, and what does not and why."""
    answering = [
        f"{one.name}, version{'s' if len(one.available) > 1 else ''} {', '.join(map(str, one.available))}"
        for one in models
        if one.available
    ]
    yield f"Serving {'; '.join(answering)}, on {addresses}. Ctrl-C stops it."
    yield from (
        f"Not answering: {one.name}: {'; '.join(one.complaints) or 'still loading'}"
        for one in models
        if not one.available
    )


def _serve_with_stock_server(config: Config, folder: OutputFolder) -> None:
    from serving.stock_server import PROGRAM, run_stock_server

    status = run_stock_server(config.name, folder.serving, config.serving)
    if status:
        raise ServerNotReadyError(f"{PROGRAM} ended with status {status}; what it said above tells why")


def _addresses(server: "Server") -> str:
    return f"{server.address} (gRPC)" + (f" and {server.rest_address} (REST)" if server.rest_address else "")
