"""What a reader hands on: a record, or a bad record with the reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

Value = str | Sequence[str] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Record:
    """One example.

    Attributes:
        values: per feature its text, or several where its kind has many; for audio the samples, (N,).
        file: path as the settings gave it; for a recording in an archive followed by `/` and its path there.
        line: first line of the record, from 1; the row for Parquet, the running number for a built-in sample; 0 where
            the file is the record.
        lines: the line of each of many values, where each has one of its own; empty: all stand in `line`.
        split_key: what the hash split looks at; empty = the first feature.
        split: the split that its name says; empty = that of the file, or what the hash says.
        notes: what the reader knows of its place, by feature.
        remarks: what a person would want to hear of it, each in words that other records share.
    """

    values: Mapping[str, Value]
    file: str
    line: int
    split_key: str = ""
    split: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return place(self.file, self.line)


class Unusable(Exception):
    """Why a record is refused; readers turn it into a `BadRecord`."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be used, where it stands and why.

    Attributes:
        file: as in `Record`.
        line: as in `Record`.
        reason: what is wrong.
        lines: of how many lines, which may have been records, nothing is read for its sake.
        rule: key of `gate.RULES` that it breaks; "" where it cannot be read.
        action: what that rule does: quarantine or fail.
    """

    file: str
    line: int
    reason: str
    lines: int = 1
    rule: str = ""
    action: str = ""

    def __str__(self) -> str:
        return f"{place(self.file, self.line)}: {self.reason}"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One unit of reading: a file, or the line-aligned files of parallel text.

    Attributes:
        format: key of `formats.READERS`.
        paths: one path; for parallel text one per feature, in the order of the task's features.
        split: the split it belongs to; None = each record goes where its name or its hash says.
        root: folder that the name of the file is relative to.
        found: whether a pattern or a folder brought it; it may then be a part file without records.
    """

    format: str
    paths: tuple[str, ...]
    split: str | None = None
    root: str = ""
    found: bool = False

    @property
    def name(self) -> str:
        """All paths in one text, for messages and counts."""
        return file_name(self.paths)


def texts_of(value: Value) -> Sequence[str]:
    """Returns the texts of a feature that is stored as texts, one or many."""
    return [value] if isinstance(value, str) else cast("Sequence[str]", value)


def place(file: str, line: int) -> str:
    """Returns where a record stands; line 0 is no line."""
    return f"{file}:{line}" if line else file


def file_name(paths: Sequence[str]) -> str:
    """Returns the paths of one unit of reading as one text."""
    return " + ".join(paths)


def checked(
    values: Mapping[str, str | Sequence[str] | None], file: str, line: int, may_be_empty: Collection[str] = ()
) -> Record | BadRecord:
    """Returns the record, or a bad record where a feature is null, or one of its values holds only white space.

    Args:
        values: by feature.
        file: as in `Record`.
        line: as in `Record`.
        may_be_empty: features that may be null or hold only white space; both become an empty text.
    """
    texts: dict[str, Value] = {}
    for feature, value in values.items():
        if feature in may_be_empty:
            texts[feature] = value.strip() if isinstance(value, str) else ""
            continue
        if value is None:
            return BadRecord(file, line, f'"{feature}" is null')
        if not value or (isinstance(value, str) and not value.strip()):
            return BadRecord(file, line, f'"{feature}" is empty')
        if empty := [place for place, text in enumerate(texts_of(value), start=1) if not text.strip()]:
            return BadRecord(file, line, f'"{feature}" is empty at place {empty[0]}')
        texts[feature] = value
    return Record(texts, file, line)


def told(error: BaseException) -> str:
    """Returns in one line what an exception of a library says, with its class where that is not one for users."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    if isinstance(error, RecursionError):
        return "nested too deep"
    return f"{type(error).__name__}: {first[:200]}" if first else type(error).__name__
