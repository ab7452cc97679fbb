"""The header of a table that is written as text."""

from collections.abc import Callable

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, Record, checked
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line


class Table:
    """The header of a table, and where each feature stands in a row.

    Args:
        path: of the file.
        header: its first line.
        cells: cuts a line.
        context: says the features and their columns.

    Raises:
        DataError: if the header cannot be read, or a column is not there, or there twice.
    """

    def __init__(self, path: str, header: Line, cells: Callable[[str], list[str]], context: ReadContext) -> None:
        if header.problem:
            raise DataError(f"{path}:1: the header line is {header.problem}. Set data.encoding to the file's encoding.")
        self._path = path
        self._header = cells(header.text)
        self._position = {
            feature.name: self._find(context.data.columns.get(feature.name, feature.name), feature.name)
            for feature in context.features
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
