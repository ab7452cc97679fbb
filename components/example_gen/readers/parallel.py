"""Parallel text: one file per feature, line N of one belongs to line N of the others."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.passing_over import BLANK, is_blank
from components.example_gen.records import BadRecord, InputFile, Record, checked
from components.example_gen.text_files import Line, read_lines
from models.features import Feature


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the line pairs of parallel files, named by the first file; lines blank on all sides are passed over.

    Raises:
        DataError: if the files have different numbers of lines, blank ones at their ends aside. It comes after the last
            common line, so that the caller must not use what it got before.
    """
    data = context.data
    streams = [read_lines(path, data.encoding, longest=data.longest_record) for path in file.paths]
    returns = ""
    for number, lines in enumerate(zip_longest(*streams), start=1):
        returns = returns or _returns(file, lines)
        if all(line is None or _stands_empty(line) for line in lines):
            context.passed[BLANK] += 1
        elif any(line is None for line in lines):
            raise DataError(_unequal(file, lines, streams, number, returns))
        else:
            yield _record(file, context.features, lines, number)


def _stands_empty(line: Line) -> bool:
    return not line.problem and is_blank([line.text])


def _record(file: InputFile, features: Sequence[Feature], lines: Sequence[Line], number: int) -> Record | BadRecord:
    for path, line in zip(file.paths, lines, strict=True):
        if line.problem:
            return BadRecord(path, number, line.problem)
    values = {feature.name: line.text for feature, line in zip(features, lines, strict=True)}
    record = checked(values, file.paths[0], number)
    if isinstance(record, BadRecord):
        for path, line in zip(file.paths, lines, strict=True):
            if is_blank([line.text]):
                return BadRecord(path, number, record.reason)
    return record


def _returns(file: InputFile, lines: Sequence[Line | None]) -> str:
    """Says that a line holds carriage returns, which may stand for line ends; "" where none does."""
    for path, line in zip(file.paths, lines, strict=True):
        if line and line.problem and "\r" in line.text:
            return f" {path}:{line.number} holds carriage returns (CR), perhaps in the place of line ends."
    return ""


def _unequal(
    file: InputFile, lines: Sequence[Line | None], streams: Sequence[Iterator[Line]], number: int, returns: str
) -> str:
    counts = [
        number - 1 if line is None else number + sum(1 for _ in stream)
        for line, stream in zip(lines, streams, strict=True)
    ]
    lengths = ", ".join(f"{path} has {count}" for path, count in zip(file.paths, counts, strict=True))
    return (
        f"Parallel files must have the same number of lines. Received: {lengths}.{returns} "
        "Align them, or check that they belong together."
    )
