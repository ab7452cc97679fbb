"""Finds, in what a stage raised, the sentence that the user needs."""

import errno
import importlib
import re
from collections.abc import Iterator

from models.errors import SeqlineError
from pipeline.errors import StageFailed
from serving.errors import ServingError

# Beam appends the name of the step, of no use to someone whose data are wrong.
_BEAM_STEP = re.compile(r" \[while running '[^\n]*'\]")
# A Beam runner with workers of its own hands on the text of the traceback, so the class is known by name only.
_RAISED_IN_BEAM = re.compile(
    r"^(?P<path>(?:models|components|serving|pipeline)(?:\.\w+)+): (?P<message>.*?)(?: \[while running|\s*\Z|\n\n)",
    re.MULTILINE | re.DOTALL,
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NO_SPACE = ("No space left on device", "database or disk is full")


def user_message(error: BaseException) -> str | None:
    """The message of the error of ours in the chain of causes; None where there is none."""
    for link in _chain(error):
        if isinstance(link, SeqlineError | ServingError):
            return _BEAM_STEP.sub("", str(link))
        for found in _RAISED_IN_BEAM.finditer(str(link)):
            if _is_meant_for_the_user(found["path"]):
                return found["message"]
    return None


def is_disk_full(error: BaseException) -> bool:
    """Whether a full disk stands at the root of the failure."""
    return any(
        (isinstance(link, OSError) and link.errno == errno.ENOSPC) or any(text in str(link) for text in _NO_SPACE)
        for link in _chain(error)
    )


def gist(error: BaseException) -> str:
    """Class and first lines of the innermost cause; the last line where its message is itself a trace."""
    *_, innermost = _causes(error)
    lines = [line.strip() for line in _COLOURS.sub("", str(innermost)).splitlines() if line.strip()]
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return lines[-1]
    return "\n".join([f"{type(innermost).__name__}: {lines[0] if lines else 'it gave no message'}", *lines[1:3]])


def failure_message(failure: StageFailed) -> str:
    """Why a stage failed, in the sentence that the user is told."""
    cause = failure.cause
    return failure.detail if cause is None else user_message(cause) or gist(cause)


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and what was being handled meanwhile: a failed clean-up must not hide its reason."""
    waiting, seen = [error], set()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [other for other in (link.__cause__, link.__context__) if other is not None]


def _is_meant_for_the_user(path: str) -> bool:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return False
    return isinstance(found, type) and issubclass(found, SeqlineError | ServingError)
