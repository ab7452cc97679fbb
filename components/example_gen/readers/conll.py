"""CoNLL columns: a token and its tags a line, a blank line behind each sentence."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, read_lines

# Stands in the place of a token, between documents (CoNLL-2003).
DOCUMENT_MARK = "-DOCSTART-"
# The line that names the columns (CoNLL-U Plus).
_NAMES = "global.columns ="


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the sentences of a file. A sentence with a line that cannot be used is refused as a whole.

    Columns stand between tabs if the first row has one, else between blanks. All rows have as many as the first one. A
    line that begins with `data.comment_prefix` is a comment, unless it has the columns of a row: a token may begin so
    too.

    Raises:
        DataError: if a column that the settings name is not there.
    """
    path = file.paths[0]
    columns = _Columns(path, context)
    lines = read_lines(path, context.data.encoding, longest=context.data.longest_record)
    for is_gap, sentence in itertools.groupby(_rows(lines, columns), _is_gap):
        if not is_gap:
            yield _sentence(list(sentence), columns)


def _rows(lines: Iterable[Line], columns: "_Columns") -> Iterator[Line]:
    """All but the comments. The first row is looked at before what follows it: it tells comments from rows."""
    for line in lines:
        if not columns.is_comment(line):
            if not line.problem and not _is_gap(line):
                columns.begin(line)
            yield line


def _is_gap(line: Line) -> bool:
    return not line.text.strip() or line.text.split(maxsplit=1)[0] == DOCUMENT_MARK


def _sentence(lines: Sequence[Line], columns: "_Columns") -> Record | BadRecord:
    values: dict[str, list[str]] = {name: [] for name in columns.names}
    for line in lines:
        problem = line.problem or columns.problem(line)
        if problem:
            return BadRecord(columns.path, line.number, problem)
        for name, value in columns.values(line.text).items():
            if not value.strip():
                return BadRecord(columns.path, line.number, f'"{name}" is empty')
            values[name].append(value)
    return Record(values, columns.path, lines[0].number, lines=tuple(line.number for line in lines))


@dataclass
class _Row:
    """What the first row says of all."""

    separator: str | None
    width: int
    places: dict[str, int]


class _Columns:
    """Which columns the rows of a file have, and in which a feature stands: the first one tokens, the last one tags.

    Args:
        path: of the file.
        context: says the features and their columns.
    """

    def __init__(self, path: str, context: ReadContext) -> None:
        self.path = path
        self.names = [feature.name for feature in context.features]
        self._asked = context.data.columns
        self._prefix = context.data.comment_prefix
        self._header: list[str] = []
        self._row: _Row | None = None

    def is_comment(self, line: Line) -> bool:
        """Whether a line is a comment; one may name the columns."""
        if not self._prefix or not line.text.startswith(self._prefix):
            return False
        if self._row and len(self._cells(line.text)) == self._row.width:
            return False
        # Before the first row nothing but a tab tells a token that begins so.
        if not self._row and "\t" in line.text:
            return False
        text = line.text.removeprefix(self._prefix).strip()
        if text.startswith(_NAMES):
            self._header = text.removeprefix(_NAMES).split()
        return True

    def begin(self, line: Line) -> None:
        """Looks at a row, if it is the first one."""
        if self._row is None:
            separator = "\t" if "\t" in line.text else None
            width = len(line.text.split(separator))
            self._row = _Row(separator, width, self._places(width, line.number))

    def problem(self, line: Line) -> str:
        """Why a row cannot be used; "" where it can."""
        found = len(self._cells(line.text))
        if not self._row or found == self._row.width:
            return ""
        between = "tabs" if self._row.separator else "blanks"
        return f"{found} columns, with {between} between, where the first row has {self._row.width}"

    def values(self, text: str) -> dict[str, str]:
        """The value of each feature in a row."""
        cells = self._cells(text)
        return {name: cells[place] for name, place in (self._row.places if self._row else {}).items()}

    def _cells(self, text: str) -> list[str]:
        return text.split(self._row.separator if self._row else None)

    def _places(self, width: int, line: int) -> dict[str, int]:
        defaults = dict(zip(self.names, ("1", "-1"), strict=False))
        places = {
            name: self._place(name, self._asked.get(name, defaults.get(name, name)), width) for name in self.names
        }
        if len(set(places.values())) < len(places):
            raise DataError(
                f"{self.path}:{line}: {quoted(places)} stand in the same column of {width}. Every token needs a "
                "tag behind it, with a tab or blanks between; or say which column is which: "
                "data.columns: {tokens: 1, tags: 4}."
            )
        return places

    def _place(self, feature: str, column: str, width: int) -> int:
        if column.removeprefix("-").isdecimal():
            number = int(column)
            if 1 <= abs(number) <= width:
                return number - 1 if number > 0 else width + number
            raise DataError(
                f'{self.path}: no column {column} for feature "{feature}": the first row has {width}. Name one from 1 '
                f"to {width}, or from the end from -1 to -{width}: data.columns: {{{feature}: NUMBER}}."
            )
        if column in self._header and self._header.index(column) < width:
            return self._header.index(column)
        names = (
            f"Columns there: {quoted(self._header)}.{did_you_mean(column, self._header)}"
            if self._header
            else (f"The file names none (in a line {self._prefix}{_NAMES} NAME ...).")
        )
        raise DataError(
            f'{self.path}: no column "{column}" for feature "{feature}". {names} Give a name of these or a number from '
            f"1: data.columns: {{{feature}: NUMBER}}."
        )
