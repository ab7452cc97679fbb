"""What a reader hands on: a record, or a bad record with the reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """One example as text.

    Attributes:
        values: one text per feature.
        file: path as the settings gave it.
        line: first line of the record, from 1; the row for Parquet, the running number for a built-in sample.
        split_key: what the hash split looks at; empty = the first feature.
    """

    values: Mapping[str, str]
    file: str
    line: int
    split_key: str = ""


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be used, where it stands and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One unit of reading: a file, or the line-aligned files of parallel text.

    Attributes:
        format: key of `formats.READERS`.
        paths: one path; for parallel text one per feature, in the order of the task's features.
        split: the split it belongs to; None = each record goes where its hash says.
    """

    format: str
    paths: tuple[str, ...]
    split: str | None = None

    @property
    def name(self) -> str:
        """All paths in one text, for messages and counts."""
        return file_name(self.paths)


def file_name(paths: Sequence[str]) -> str:
    """Returns the paths of one unit of reading as one text."""
    return " + ".join(paths)


def checked(values: Mapping[str, str], file: str, line: int) -> Record | BadRecord:
    """Returns the record, or a bad record where a feature holds nothing but white space."""
    for feature, value in values.items():
        if not value.strip():
            return BadRecord(file, line, f'"{feature}" is empty')
    return Record(values, file, line)
