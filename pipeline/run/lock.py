"""One run at a time for each output folder, or stages of a run by themselves, each of them once.

`seqline run` has the folder to itself. `seqline node` shares it with other stages, for branches of a run may go on at
the same time, and locks its own stage, so that no two processes write into the same place. That only one run at a time
is launched stage by stage is the orchestrator's affair: between two stages nobody holds a lock.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.errors import ConfigError, LockedError


@contextlib.contextmanager
def run_lock(output_dir: Path) -> Iterator[None]:
    """Holds the lock of the output folder; raises LockedError that names the holder when another process has it.

    The kernel frees the lock when its holder dies, however it dies, so the file that stays behind is no obstacle.
    """
    _make(output_dir)
    in_use = f"{output_dir} is in use by another run"
    with _locked(output_dir / ".lock", in_use, "or choose another folder with --set output_dir=FOLDER"):
        yield


@contextlib.contextmanager
def stage_lock(output_dir: Path, stage: str, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Holds the lock of one stage; raises LockedError when a run has the folder, or another process works at the stage.

    Args:
        output_dir: the output folder.
        stage: id of the stage.
        on_wait: is told who has it, and then it is waited for instead.
    """
    _make(output_dir)
    way_out = "then start the stage again"
    with (
        _locked(output_dir / ".lock", f"{output_dir} is in use by another run", way_out, True, on_wait),
        _locked(output_dir / f".lock-{stage}", f"{stage} of {output_dir} is at work already", way_out, False, on_wait),
    ):
        yield


@contextlib.contextmanager
def _locked(
    path: Path, in_use: str, way_out: str, shared: bool = False, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    # flock and not the filelock package: that one empties the file when it tries, and the holder's name with it.
    with open(path, "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            held = f"{in_use} ({_holder(file.read())})"
            if on_wait is None:
                raise LockedError(f"{held}. Wait for it to end, {way_out}") from None
            on_wait(f"{held}; waiting for it to end")
            fcntl.flock(file, kind)
        # Of a holder that was killed.
        file.truncate(0)
        if shared:
            yield
            return
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
        # Stages that share the lock leave no name; else seen between taking the lock and writing it.
        return "stage by stage, or just started"
