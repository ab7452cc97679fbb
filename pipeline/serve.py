"""Serves what was pushed, until told to stop."""

import signal
import sys

from rich.console import Console

from pipeline import ports
from pipeline.config import Config
from pipeline.errors import NothingPushedError, PortInUseError
from pipeline.output_folder import OutputFolder
from pipeline.run_log import output_to

SECONDS_TO_LOAD = 120.0


def serve(config: Config) -> None:
    """Starts the server on the pushed versions and returns after SIGTERM or SIGINT."""
    folder = OutputFolder(config)
    version = folder.newest_version()
    if version is None:
        raise NothingPushedError(f"{folder.serving} holds no pushed model; make one first: seqline run")
    host, port = config.serving.host, config.serving.port
    if port and not ports.is_free(host, port):
        raise PortInUseError(
            f"{host}:{port} is in use by another program; stop it, or choose another: --set serving.port=8600"
        )
    with output_to(folder.logs / "serve.log") as stream:
        console = Console(file=stream)
        # Importing TensorFlow takes seconds; the errors above should not wait for it.
        from serving.server import Server

        # Until run_until_signal takes over: a stop while the model is loading is no failure either.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        with Server(config.name, str(folder.serving), config.serving) as server:
            server.wait_until_available(SECONDS_TO_LOAD)
            console.print(
                f"Serving {config.name}, version {version.name}, on {server.address} (gRPC). Ctrl-C stops it.",
                highlight=False,
                soft_wrap=True,
            )
            server.run_until_signal()
