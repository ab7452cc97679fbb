"""`python -m serving`: the embedded server with the command line of `tensorflow_model_server`."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

_WORDS = os.dup(2)  # stays what it is while TensorFlow is imported


def _leave(number: int, _: FrameType | None) -> None:
    """Ends a program that serves nothing yet: there is nothing to drain, and a stack trace helps nobody."""
    os.write(_WORDS, f"{signal.Signals(number).name} received before anything was served: stopping\n".encode())
    os._exit(128 + number)


if __name__ == "__main__":  # before the imports, which take seconds
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)

# TensorFlow's own start-up chatter would bury the server's few lines.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# gRPC reports a used port in words of its own beside ours.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from serving import flags  # noqa: E402
from serving.errors import ServingError  # noqa: E402
from serving.front.limits import raise_file_limit  # noqa: E402
from serving.ports import Ports  # noqa: E402
from serving.tensorflow_import import name_a_temporary_folder, without_chatter  # noqa: E402

_FAILED = 255  # what tensorflow_model_server exits with


def main(arguments: Sequence[str]) -> int:
    """Serves until SIGTERM or SIGINT.

    Args:
        arguments: Flags, without the program's name.

    Returns:
        Exit status: 0 after a signal, 255 when the server could not start.
    """
    words = os.fdopen(_WORDS, "w", buffering=1, errors="backslashreplace", closefd=False)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=words)
    logging.getLogger("seqline").setLevel(logging.INFO)
    if "--help" in arguments:
        print(flags.usage())
        return _FAILED
    try:
        return _serve(flags.parse(arguments))
    except ServingError as error:
        # On stdout, as the original; what its parser of configurations says goes to stderr.
        print(f"Failed to start server. Error: {error}", flush=True)
        return _FAILED


def _serve(line: flags.CommandLine) -> int:
    if line.unknown:
        print(f"unknown argument: {line.unknown[0]}\n{flags.usage()}", flush=True)
    if line.values["version"]:
        _print_versions()
        return 0
    if not line.values["model_base_path"] and not line.values["model_config_file"]:
        raise ServingError("Both server_options.model_base_path and server_options.model_config_file are empty!")
    settings = line.settings()
    if not settings.grpc_tcp and not settings.grpc_socket_path:
        raise ServingError("At least one of server_options.grpc_port or server_options.grpc_socket_path must be set.")
    name, base_path = str(line.values["model_name"]), str(line.values["model_base_path"])
    # Before ports ask how many connections they may hold.
    raise_file_limit()
    with Ports(settings, [] if settings.models.config_file else [name]) as ports:
        if settings.models.ports_open_at_once:
            ports.open()
        name_a_temporary_folder()
        with without_chatter():
            from serving.server import Server, prepare_process  # takes seconds

            prepare_process()
        server = Server(name, base_path, settings, ports)
        server.start()
        server.run_until_signal()
    return 0


def _print_versions() -> None:
    from importlib.metadata import version

    print(f"TensorFlow ModelServer: seqline {version('seqline')}\nTensorFlow Library: {version('tensorflow')}")


if __name__ == "__main__":
    status = main(sys.argv[1:])
    logging.shutdown()
    sys.stdout.flush()
    # A model run that outlived the grace still holds threads; a normal exit would wait for them.
    os._exit(status)
