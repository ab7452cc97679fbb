"""What has to be around the import of TensorFlow in a program that people watch and administrators lock up."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Lines of C++ at level INFO, their further lines, and the remark that no log has been set up yet. No setting of
# TensorFlow or absl silences what comes so early.
_CHATTER = re.compile(rb"I\d{4} \d\d:|WARNING: All log messages before absl::|To enable the following instructions: ")
# An error, for a machine that has a GPU.
_NO_GPU = re.compile(rb"E\d{4} \d\d:.* cuInit: ")
_GPU = Path("/dev/nvidiactl")
_STANDARD_ERROR = 2


def name_a_temporary_folder() -> None:
    """Lets TensorFlow be imported where no folder can be written: it asks for the name of one, and writes nothing."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = "/tmp"


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Holds back what is written to the descriptor 2, and passes on at the end what matters among it."""
    sys.stderr.flush()
    kept, held = os.dup(_STANDARD_ERROR), os.memfd_create("seqline-chatter")
    os.dup2(held, _STANDARD_ERROR)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
        with os.fdopen(held, "rb") as lines:
            lines.seek(0)
            for line in lines:
                if not (_CHATTER.match(line) or (_NO_GPU.match(line) and not _GPU.exists())):
                    os.write(_STANDARD_ERROR, line)
