"""A server in a process of its own: started, waited for, ended."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_POLL_SECONDS = 0.1


class ServerNotUpError(Exception):
    """The server does not answer.

    Attributes:
        status: with which it ended; None where it runs still.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


@contextlib.contextmanager
def server_process(
    command: Sequence[str],
    log: Path,
    is_available: Callable[[], bool],
    seconds_to_start: float,
    seconds_to_stop: float,
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Starts a server, waits until it answers, and ends it.

    Args:
        command: program and arguments.
        log: file that gets what it prints, at its end.
        is_available: whether it answers; asked again and again.
        seconds_to_start: how long to wait for that.
        seconds_to_stop: how long it may take to end before it is killed.
        environment: variables of the process; None for those of this one.

    Raises:
        ServerNotUpError: it ended before, or takes longer.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, is_available, seconds_to_start)
        yield
    finally:
        process.terminate()
        try:
            process.wait(seconds_to_stop)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], is_available: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_available():
        if (status := process.poll()) is not None:
            raise ServerNotUpError(status)
        if time.monotonic() > deadline:
            raise ServerNotUpError(None)
        time.sleep(_POLL_SECONDS)
