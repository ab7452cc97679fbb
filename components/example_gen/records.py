"""What a reader hands on: a record, or a bad record with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        split_key: what the hash split looks at; empty = the first feature.
        split: the split that its name says; empty = that of the file, or what the hash says.
        notes: what a person would want to hear of it, each in words that other records share.
    """

    values: Mapping[str, Value]
    file: str
    line: int
    split_key: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """File and line, for messages."""
        return place(self.file, self.line)


class Unusable(Exception):
    """Why a record is refused; readers turn it into a `BadRecord`."""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be used, where it stands and why."""

    file: str
    line: int
    reason: str

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
    """

    format: str
    paths: tuple[str, ...]
    split: str | None = None
    root: str = ""

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


def checked(values: Mapping[str, str], file: str, line: int) -> Record | BadRecord:
    """Returns the record, or a bad record where a feature holds nothing but white space."""
    for feature, value in values.items():
        if not value.strip():
            return BadRecord(file, line, f'"{feature}" is empty')
    return Record(values, file, line)
