"""Rows of a table written as text, with quoted cells or without."""

import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from components.example_gen.text_files import Line

# The bound on a row is `data.max_record_megabytes`; the module's own holds for all that use it.
csv.field_size_limit(sys.maxsize)

_TOO_MANY = 20
_SHARE = 0.9


class Shape(Protocol):
    """What rows look like."""

    @property
    def sure(self) -> bool:
        """Whether it is no chance that a line fits, so that one such line is enough."""

    @property
    def width(self) -> int:
        """Number of cells of a row."""

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether a line that was cut into these cells looks like a row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        number: of its first line.
        cells: none where it cannot be cut into cells.
        problem: why it cannot be used, or "".
        lines: number of lines that it took.
    """

    number: int
    cells: list[str]
    problem: str = ""
    lines: int = 1


def plain_rows(lines: Iterator[Line], delimiter: str) -> Iterator[Row]:
    """Yields rows in which a quote is a character like any other."""
    for line in lines:
        yield Row(line.number, line.text.split(delimiter), line.problem)


class QuotedRows:
    """Rows by RFC 4180: quoted fields may hold delimiters, line ends and doubled quotes.

    No row swallows others unseen:

    - after a mistake nothing is read up to the end of the cell, and all lines of it count;
    - so does a quote that is never closed, or not within `longest`;
    - a field over several lines that look like rows is refused.

    Args:
        lines: of the file; undecodable ones too, for their quotes and delimiters keep the rows behind them in place.
        delimiter: between the cells.
        longest: characters of a row.
    """

    def __init__(self, lines: Iterator[Line], delimiter: str, longest: int) -> None:
        self._feed = _Feed(lines, longest)
        self._delimiter = delimiter
        self.shape: Shape | None = None  # once the header is known

    def __iter__(self) -> Iterator[Row]:
        rows = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
        while True:
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._lost(self._why(str(error)), self._feed.open_quote())
            except _TooLongError:
                rows = csv.reader(self._feed, delimiter=self._delimiter, strict=True)
                yield self._lost("longer than data.max_record_megabytes", self._feed.open_quote(), to_the_end=True)
            else:
                yield self._row(cells, self._feed.take())

    def _row(self, cells: list[str], taken: list[Line]) -> Row:
        number, lines = taken[0].number, len(taken)
        if problem := next((line for line in taken if line.problem), None):
            return Row(problem.number, [], problem.problem, lines)
        if lines > 1 and self._are_rows([taken[0].text.replace('"', "", 1), *(line.text for line in taken[1:-1])]):
            reason = f"lines {number}-{number + lines - 1} look like rows, and a quote makes them one; is one too many?"
            return Row(number, [], reason, lines)
        return Row(number, cells, "", lines)

    def _are_rows(self, texts: list[str]) -> bool:
        if self.shape is None or len(texts) < (1 if self.shape.sure else _TOO_MANY):
            return False
        return sum(map(self._is_row, texts)) >= _SHARE * len(texts)

    def _lost(self, reason: str, open_quote: bool, to_the_end: bool = False) -> Row:
        """Skips to the end of the cell, or up to a line that is a row beyond doubt, and accounts for all lines."""
        taken = self._feed.take()
        first, last = taken[0].number, taken[-1].number
        while open_quote and (line := self._feed.next_line()) is not None:
            if not to_the_end and self._is_surely_row(line):
                self._feed.put_back(line)
                break
            last, open_quote = line.number, open_quote ^ bool(line.quotes % 2)
        if not to_the_end:
            last = self._skip_rest(last)
        swallowed = ""
        if last > first:
            swallowed = f"; it swallowed {f'lines {first + 1}-{last}' if last > first + 1 else f'line {last}'}"
        return Row(first, [], f"{reason}{swallowed}", last - first + 1)

    def _skip_rest(self, last: int) -> int:
        """Skips lines that are the rest of the broken cell rather than rows; returns the number of the last one."""
        while self.shape and (line := self._feed.next_line()) is not None:
            cells = self._cells(line.text)
            if line.text.startswith('"') or not (line.quotes % 2 or cells is None or len(cells) != self.shape.width):
                self._feed.put_back(line)
                break
            last = line.number
        return last

    def _is_surely_row(self, line: Line) -> bool:
        return self.shape is not None and self.shape.sure and not line.quotes % 2 and self._is_row(line.text)

    def _is_row(self, text: str) -> bool:
        cells = self._cells(text)
        return self.shape is not None and cells is not None and self.shape.fits(cells)

    def _cells(self, text: str) -> list[str] | None:
        """Cuts one line; None if it is no row by itself."""
        try:
            return next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            return None

    def _why(self, error: str) -> str:
        if "new-line character" in error:
            return (
                "a carriage return (CR) in a field without quotes; lines end in LF or CR LF, or in CR alone throughout"
            )
        if "unexpected end" in error:
            return "a quote is never closed"
        return f"not CSV: {error}"


class _TooLongError(Exception):
    """The row in progress is longer than allowed; never leaves this file."""


class _Feed:
    """Feeds `csv.reader` and remembers which lines the row in progress has taken."""

    def __init__(self, lines: Iterator[Line], longest: int) -> None:
        self._lines, self._longest = lines, longest
        self._taken: list[Line] = []
        self._size = 0
        self._waiting: list[Line] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self.next_line()
        if line is None:
            raise StopIteration
        self._taken.append(line)
        self._size += len(line.text)
        if line.too_long or self._size > self._longest:
            raise _TooLongError
        return line.text + "\n"

    def next_line(self) -> Line | None:
        """Returns the next line without counting it to the row in progress; None at the end."""
        return self._waiting.pop() if self._waiting else next(self._lines, None)

    def put_back(self, line: Line) -> None:
        """Makes it the next line again."""
        self._waiting.append(line)

    def open_quote(self) -> bool:
        """Whether a quote is open behind the lines taken, should each quote in them open or close a field."""
        return bool(sum(line.quotes for line in self._taken) % 2)

    def take(self) -> list[Line]:
        """Returns the lines of the row just read and begins the next row."""
        taken, self._taken, self._size = self._taken, [], 0
        return taken
