"""The header of a table that is written as text."""

from collections.abc import Sequence

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.partitions import partitions_of
from components.example_gen.readers.quoting import Row
from components.example_gen.records import BadRecord, Record, checked
from components.example_gen.suggestions import did_you_mean, quoted

_DELIMITERS = {";": '";"', "\t": r'"\t"', ",": '","', "|": '"|"'}
# Enough to know the labels of a file, and no more than a set of texts may take.
_MOST_SEEN = 10_000


class Table:
    """The header of a table, and where each feature stands in a row.

    Args:
        path: of the file.
        header: its first row.
        delimiter: that cuts a row.
        context: says the features and their columns.

    Raises:
        DataError: if the header cannot be read, or a column is not there, or there twice.
    """

    def __init__(self, path: str, header: Row, delimiter: str, context: ReadContext) -> None:
        if header.problem:
            way_out = " Set data.encoding to the file's encoding." if header.problem.startswith("not ") else ""
            raise DataError(f"{path}:{header.number}: the header line is {header.problem}.{way_out}")
        self._path, self._delimiter, self._line = path, delimiter, header.number
        self.header = header.cells
        self._features = [feature.name for feature in context.features]
        self._may_be_empty = context.may_be_empty
        self._given: dict[str, str] = {}
        self._position: dict[str, int] = {}
        for feature in context.features:
            self._place(context.data.columns.get(feature.name, feature.name), feature.name)
        categories = [feature.name for feature in context.features if feature.facts.learned == "categories"]
        self._seen: dict[int, set[str]] = {self._position[name]: set() for name in categories if name in self._position}

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.header)

    @property
    def sure(self) -> bool:
        """Whether a row is known by its categories: their column holds few values, some of which were seen."""
        return any(self._seen.values())

    def _place(self, column: str, feature: str) -> None:
        if self.header.count(column) == 1:
            self._position[feature] = self.header.index(column)
            return
        if column in self.header:
            raise DataError(
                f'{self._path}:{self._line}: the header names column "{column}" more than once. Rename one of them.'
            )
        given = partitions_of(self._path)
        if column not in given:
            raise DataError(
                f'{self._path}: no column "{column}" for feature "{feature}". Columns there: '
                f"{quoted([*self.header, *given])}.{self._way_out(column, feature)}"
            )
        self._given[feature] = given[column]

    def _way_out(self, column: str, feature: str) -> str:
        if f'"{column}"' in self.header:
            return ' They stand in quotes: set "data.quoting" to minimal.'
        for other, spelled in _DELIMITERS.items():
            if other != self._delimiter and any(other in name for name in self.header):
                if column in [name.strip('" ') for name in self._delimiter.join(self.header).split(other)]:
                    return f' Set "data.delimiter" to {spelled}: that is what stands between the columns.'
        near = did_you_mean(column, self.header)
        return f"{near} Name it in the settings: data.columns: {{{feature}: COLUMN}}."

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether a line looks like a row, by the number of its cells and the categories seen so far."""
        if len(cells) != len(self.header) or len(cells) < 2:
            return False
        return all(cells[position] in seen for position, seen in self._seen.items() if seen)

    def record(self, row: Row) -> Record | BadRecord:
        """Returns the row as a record, or what is wrong with it."""
        if row.problem:
            return BadRecord(self._path, row.number, row.problem, row.lines)
        if len(row.cells) != len(self.header):
            reason = f"{len(row.cells)} fields where the header has {len(self.header)} ({quoted(self.header)})"
            return BadRecord(self._path, row.number, reason, row.lines)
        values = {name: self._value(name, row.cells) for name in self._features}
        record = checked(values, self._path, row.number, self._may_be_empty)
        if isinstance(record, Record):
            for position, seen in self._seen.items():
                if len(seen) < _MOST_SEEN:
                    seen.add(row.cells[position])
        return record

    def _value(self, feature: str, cells: Sequence[str]) -> str:
        return self._given[feature] if feature in self._given else cells[self._position[feature]]
