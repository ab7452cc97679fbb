"""Tables as text with a header line, and a character between the columns."""

import re
from collections.abc import Iterator

from components.example_gen.context import ReadContext
from components.example_gen.formats import AUTO, READERS
from components.example_gen.passing_over import BLANK, HEADERS, is_blank
from components.example_gen.readers.quoting import QuotedRows, Row, plain_rows
from components.example_gen.readers.table import Table
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.suggestions import shown
from components.example_gen.text_files import read_lines

_QUOTED = re.compile(r'"(?:[^"]|"")*""(?:[^"]|"")*"')


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the rows of a TSV or CSV file; blank ones, and headers that come again, are passed over."""
    path, data = file.paths[0], context.data
    facts = READERS[file.format]
    delimiter = data.delimiter or facts.delimiter
    quoted = (facts.quoting if data.quoting == AUTO else data.quoting) != "none"
    lines = read_lines(path, data.encoding, longest=data.longest_record, quoted=quoted)
    rows = QuotedRows(lines, delimiter, data.longest_record) if quoted else plain_rows(lines, delimiter)
    table: Table | None = None
    for row in rows:
        if not row.problem and is_blank(row.cells):
            context.passed[BLANK] += row.lines
        elif table is None:
            table = Table(path, row, delimiter, context)
            if isinstance(rows, QuotedRows):
                rows.shape = table
        elif row.cells == table.header and len(row.cells) > 1:
            context.passed[HEADERS] += 1
        else:
            if not quoted:
                _warn_of_quotes(row, path, context)
            yield table.record(row)


def _warn_of_quotes(row: Row, path: str, context: ReadContext) -> None:
    """A quote is a character here; one that is doubled inside of others was none where the file was written."""
    for cell in row.cells:
        if cell.startswith('"') and _QUOTED.fullmatch(cell):
            context.warn(
                "quotes",
                f"{path}:{row.number}: the cell {shown(cell)} looks quoted, and is read with its quotes. "
                "If a program wrote them (as to_csv of pandas does), set data.quoting: minimal.",
            )
