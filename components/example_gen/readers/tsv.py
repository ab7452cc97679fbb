"""Tables as text with a header line and tabs between the columns."""

from collections.abc import Iterator

from components.example_gen.context import ReadContext
from components.example_gen.readers.table import Table
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.text_files import read_lines


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the rows of a TSV file. A quote is a character like any other: a tab always ends a field."""
    path = file.paths[0]
    lines = read_lines(path, context.data.encoding)
    table = Table(path, next(lines), _cells, context)
    for line in lines:
        if line.problem:
            yield BadRecord(path, line.number, line.problem)
        else:
            yield table.record(_cells(line.text), line.number)


def _cells(line: str) -> list[str]:
    return line.split("\t")
