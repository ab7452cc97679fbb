"""The whole way in one command: run, serve what was pushed, ask three questions over gRPC, stop the server."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from pipeline.config.config import Config
from pipeline.errors import ServerNotReadyError
from pipeline.run.log import output_to
from pipeline.run.output_folder import OutputFolder
from pipeline.run.run import Outcome
from pipeline.serve import ports
from pipeline.serve.ask import is_available
from pipeline.serve.demo_questions import answers_to, held_out_examples

QUESTIONS = 3
SECONDS_TO_START = 180.0


def ask_pushed_model(config: Config, config_file: Path, overrides: Sequence[str], outcome: Outcome) -> None:
    """Starts a server on the pushed model in a process of its own, asks it, prints the answers and ends it."""
    # TensorFlow reads the questions and has the message classes; what it says to itself goes to the log.
    with output_to(outcome.log) as stream:
        console = Console(file=stream)
        questions = held_out_examples(config, outcome.run.artifacts["ExampleGen/examples"], QUESTIONS)
        with running_server(config, config_file, overrides) as port:
            lines = answers_to(config, questions, port)
        _say(console, f"\nAsked {config.name} on {config.serving.host}:{port} over gRPC:")
        for line in lines:
            _say(console, f"  {line}")


@contextlib.contextmanager
def running_server(config: Config, config_file: Path, overrides: Sequence[str]) -> Iterator[int]:
    """Runs `seqline serve` in a process of its own; yields its port: the configured one, or a free one."""
    host, port = config.serving.host, config.serving.port
    if port == 0 or not ports.is_free(host, port):
        port = ports.any_free(host)
    # The questions go over gRPC; a server that is running already may hold the configured REST port.
    chosen = (*overrides, f"serving.port={port}", "serving.rest.port=0")
    settings = [argument for override in chosen for argument in ("--set", override)]
    command = [sys.executable, "-m", "pipeline", "serve", "-c", str(config_file), *settings]
    log = OutputFolder(config).logs / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        _wait_until_available(server, config, port, log)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(config.serving.grace_seconds + 20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_available(server: subprocess.Popen[bytes], config: Config, port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_available(config, port):
        if server.poll() is not None:
            raise ServerNotReadyError(
                f"The server ended with exit code {server.returncode} before it answered; see {log}"
            )
        if time.monotonic() > deadline:
            raise ServerNotReadyError(
                f"The server did not answer on port {port} within {SECONDS_TO_START:.0f} s; see {log}"
            )
        time.sleep(0.2)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
