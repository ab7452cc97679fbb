"""Sends all that libraries print to the log file of the run, and keeps the terminal for our own words."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[TextIO]:
    """Redirects the file descriptors 1 and 2 to the end of `log`; yields a stream that still leads to where 1 led.

    Descriptors and not sys.stdout: TensorFlow, oneDNN and gRPC write from C++.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    log.parent.mkdir(parents=True, exist_ok=True)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    saved = {descriptor: os.dup(descriptor) for descriptor in (STANDARD_OUTPUT, STANDARD_ERROR)}
    # A program that has put something else in the place of sys.stdout (a test, a notebook) hears us there.
    own_words = os.fdopen(os.dup(STANDARD_OUTPUT), "w", encoding="utf-8") if _is_real(sys.stdout) else sys.stdout
    try:
        for descriptor in saved:
            os.dup2(target, descriptor)
        yield own_words
    finally:
        for stream in (sys.stdout, sys.stderr):
            # On a full disk the log's last words are lost; that must not hide the reason of the failure.
            with contextlib.suppress(OSError):
                stream.flush()
        for descriptor, copy in saved.items():
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(target)
        if own_words is not sys.stdout:
            own_words.close()


def _is_real(stream: TextIO) -> bool:
    try:
        return stream.fileno() == STANDARD_OUTPUT
    except (OSError, ValueError):
        return False
