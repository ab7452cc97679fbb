import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import LockedError
from pipeline.run.lock import run_lock, stage_lock

HOLD = """
import sys
from pathlib import Path
from pipeline.run.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    return holder


def test_a_second_run_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    try:
        for _ in range(2):  # trying must not wipe out the holder's name
            with pytest.raises(
                LockedError, match=rf"in use by another run \(process {holder.pid}, since \d{{4}}-.*--set"
            ):
                with run_lock(tmp_path):
                    pass
    finally:
        holder.communicate("")
    with run_lock(tmp_path):
        assert str(os.getpid()) in (tmp_path / ".lock").read_text()


def test_the_lock_of_a_killed_run_is_no_obstacle(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    holder.kill()
    holder.wait()
    assert (tmp_path / ".lock").exists()
    with run_lock(tmp_path):
        pass


def test_another_folder_is_free(tmp_path: Path) -> None:
    with run_lock(tmp_path / "a"), run_lock(tmp_path / "b"):
        pass


def test_the_lock_ends_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x"), run_lock(tmp_path):
        raise ValueError("x")
    with run_lock(tmp_path):
        pass


def test_stages_share_the_folder_but_not_with_a_run(tmp_path: Path) -> None:
    with stage_lock(tmp_path, "Left"), stage_lock(tmp_path, "Right"):
        with pytest.raises(LockedError, match="in use by another run .stage by stage"), run_lock(tmp_path):
            pass
    with run_lock(tmp_path):
        with pytest.raises(LockedError, match=rf"another run \(process {os.getpid()}, .*start the stage again"):
            with stage_lock(tmp_path, "Left"):
                pass
    with stage_lock(tmp_path, "Left"):
        pass


def test_a_stage_is_at_work_once(tmp_path: Path) -> None:
    with stage_lock(tmp_path, "Trainer"):
        with pytest.raises(LockedError, match=rf"^Trainer of .* is at work already \(process {os.getpid()}, since"):
            with stage_lock(tmp_path, "Trainer"):
                pass
    with stage_lock(tmp_path, "Trainer"):
        pass


def test_a_stage_may_wait_for_who_has_the_folder(tmp_path: Path) -> None:
    holder, told = start_holder(tmp_path), []

    def on_wait(sentence: str) -> None:
        told.append(sentence)
        holder.communicate("")

    with stage_lock(tmp_path, "Trainer", on_wait):
        assert str(os.getpid()) in (tmp_path / ".lock-Trainer").read_text()
    [sentence] = told
    assert f"is in use by another run (process {holder.pid}, since" in sentence
    assert sentence.endswith("; waiting for it to end")
