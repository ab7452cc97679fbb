"""The whole way in one command: run, serve what was pushed, ask three questions over gRPC, stop the server."""

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from components.ports import is_free
from components.server_process import ServerNotUpError, server_process
from pipeline.config.config import Config
from pipeline.errors import ServerNotReadyError
from pipeline.run.log import output_to
from pipeline.run.output_folder import OutputFolder
from pipeline.run.run import Outcome
from pipeline.serve.ask import is_available
from pipeline.serve.demo_questions import answers_to, held_out_examples
from pipeline.serve.ports import require

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
    if port == 0 or not is_free(host, port):
        port = require(host, 0)
    # The questions go over gRPC; a server that is running already may hold the configured REST port.
    chosen = (*overrides, f"serving.port={port}", "serving.rest.port=0")
    settings = [argument for override in chosen for argument in ("--set", override)]
    command = [sys.executable, "-m", "pipeline", "serve", "-c", str(config_file), *settings]
    log = OutputFolder(config).logs / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    seconds_to_stop = config.serving.grace_seconds + 20
    with contextlib.ExitStack() as stack:
        server = server_process(command, log, lambda: is_available(config, port), SECONDS_TO_START, seconds_to_stop)
        try:
            stack.enter_context(server)
        except ServerNotUpError as error:
            problem = f"did not answer on port {port} within {SECONDS_TO_START:.0f} s"
            if error.status is not None:
                problem = f"ended with exit code {error.status} before it answered"
            raise ServerNotReadyError(f"The server {problem}; see {log}") from error
        yield port


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
