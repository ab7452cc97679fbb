"""Tables as text with a header line: TSV and CSV."""

import csv
from collections.abc import Iterator, Mapping, Sequence

from components.errors import DataError
from components.example_gen.records import BadRecord, InputFile, Record, checked
from components.example_gen.settings import DataSettings
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, read_lines
from models.features import Feature


def read_tsv(file: InputFile, features: Sequence[Feature], settings: DataSettings) -> Iterator[Record | BadRecord]:
    """Yields the rows of a TSV file. A quote is a character like any other: a tab always ends a field."""
    path = file.paths[0]
    lines = read_lines(path, settings.encoding)
    table = _Table(path, next(lines), "\t", features, settings.columns)
    for line in lines:
        if line.problem:
            yield BadRecord(path, line.number, line.problem)
        else:
            yield table.record(line.text.split("\t"), line.number)


def read_csv(file: InputFile, features: Sequence[Feature], settings: DataSettings) -> Iterator[Record | BadRecord]:
    """Yields the rows of a CSV file (RFC 4180: quoted fields may hold commas, line ends and doubled quotes)."""
    path = file.paths[0]
    lines = read_lines(path, settings.encoding)
    table = _Table(path, next(lines), ",", features, settings.columns)
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


class _Table:
    """The header of a table, and where each feature stands in a row."""

    def __init__(
        self, path: str, header: Line, delimiter: str, features: Sequence[Feature], columns: Mapping[str, str]
    ) -> None:
        if header.problem:
            raise DataError(f"{path}:1: the header line is {header.problem}. Set data.encoding to the file's encoding.")
        self._path = path
        self._header = next(csv.reader([header.text])) if delimiter == "," else header.text.split(delimiter)
        self._position = {
            feature.name: self._find(columns.get(feature.name, feature.name), feature.name) for feature in features
        }

    def _find(self, column: str, feature: str) -> int:
        if self._header.count(column) == 1:
            return self._header.index(column)
        if column in self._header:
            raise DataError(f'{self._path}:1: the header names column "{column}" more than once. Rename one of them.')
        raise DataError(
            f'{self._path}: no column "{column}" for feature "{feature}". Columns there: {quoted(self._header)}.'
            f"{did_you_mean(column, self._header)} Name it in the settings: data.columns: {{{feature}: COLUMN}}."
        )

    def record(self, row: list[str], line: int) -> Record | BadRecord:
        """Returns the row as a record, or what is wrong with it."""
        if not any(row):
            return BadRecord(self._path, line, "the line is empty")
        if len(row) != len(self._header):
            return BadRecord(
                self._path, line, f"{len(row)} fields where the header has {len(self._header)} ({quoted(self._header)})"
            )
        return checked({name: row[position] for name, position in self._position.items()}, self._path, line)
