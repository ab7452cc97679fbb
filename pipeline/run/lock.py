"""One run at a time for each output folder."""

import contextlib
import datetime
import errno
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import ConfigError, LockedError


@contextlib.contextmanager
def run_lock(output_dir: Path) -> Iterator[None]:
    """Holds the lock of the output folder; raises LockedError that names the holder when another process has it.

    The kernel frees the lock when its holder dies, however it dies, so the file that stays behind is no obstacle.
    """
    _make(output_dir)
    # flock and not the filelock package: that one empties the file when it tries, and the holder's name with it.
    with open(output_dir / ".lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LockedError(
                f"{output_dir} is in use by another run ({_holder(file.read())}). "
                "Wait for it to end, or choose another folder with --set output_dir=FOLDER"
            ) from None
        file.truncate(0)
        since = datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "since": since}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _make(output_dir: Path) -> None:
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(output_dir, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigError(
            f"output_dir must be a folder that can be written. Received: {output_dir} ({error.strerror}). "
            "Choose another with --set output_dir=FOLDER"
        ) from None


def _holder(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        # Seen in the moment between taking the lock and writing the name.
        return "just started"
