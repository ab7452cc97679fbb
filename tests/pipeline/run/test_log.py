import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.run.log import output_to

# In a process of its own: pytest has its hands on this one's descriptors.
SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from pipeline.run.log import output_to
print("before")
try:
    with output_to(Path(sys.argv[1])) as ours:
        ours.write("our words\\n")
        print("python noise")
        print("python error noise", file=sys.stderr)
        os.write(1, b"c noise\\n")
        os.write(2, b"c error noise\\n")
        subprocess.run(["echo", "child noise"])
        raise KeyError("x")
except KeyError:
    pass
print("after")
os.write(2, b"error after\\n")
"""


def test_noise_of_every_origin_goes_to_the_log_and_our_words_to_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "run.log"
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(log)], capture_output=True, text=True, check=True)
    assert done.stdout == "before\nour words\nafter\n"
    assert done.stderr == "error after\n"
    noise = {"python noise", "python error noise", "c noise", "c error noise", "child noise"}
    assert noise == set(log.read_text().splitlines())


def test_the_log_is_continued_and_no_descriptor_leaks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "run.log"
    before = len(os.listdir("/proc/self/fd"))
    for word in (b"one\n", b"two\n"):
        with output_to(log):
            os.write(1, word)
    assert log.read_text() == "one\ntwo\n"
    assert len(os.listdir("/proc/self/fd")) == before
