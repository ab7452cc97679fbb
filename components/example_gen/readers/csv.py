"""Tables as text with a header line and commas between the columns."""

import csv
from collections.abc import Iterator

from components.example_gen.context import ReadContext
from components.example_gen.readers.table import Table
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.text_files import Line, read_lines


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the rows of a CSV file (RFC 4180: quoted fields may hold commas, line ends and doubled quotes)."""
    path = file.paths[0]
    lines = read_lines(path, context.data.encoding)
    table = Table(path, next(lines), _cells, context)
    source = _CsvLines(lines)
    rows = csv.reader(source, strict=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRecord(path, source.take()[0].number, f"not CSV: {error}")
            continue
        taken = source.take()
        undecodable = [line for line in taken if line.problem]
        if undecodable:
            yield BadRecord(path, undecodable[0].number, undecodable[0].problem)
        else:
            yield table.record(row, taken[0].number)


def _cells(header: str) -> list[str]:
    return next(csv.reader([header]))


class _CsvLines:
    """Feeds `csv.reader` and remembers which lines the row in progress has taken."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._taken: list[Line] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(line)
            # An undecodable line is handed on too: its quotes and commas keep the rows behind it in place.
            yield line.text + "\n"

    def take(self) -> list[Line]:
        """Returns the lines of the row just read and begins the next row."""
        taken, self._taken = self._taken, []
        return taken
