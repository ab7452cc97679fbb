"""What is known of an example by its file's name: labels and split, by a pattern or a row of a TSV file."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.errors import DataError, printable
from components.example_gen.finding import find_files
from components.example_gen.formats import READERS
from components.example_gen.name_rules import any_of, label_of, missing_problems
from components.example_gen.passing_over import is_blank
from components.example_gen.records import Unusable
from components.example_gen.settings import DataSettings
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, read_lines
from models.features import Feature

_FILE = "file"


@dataclass(frozen=True)
class FileFacts:
    """What the data section tells of files by their names.

    A name is the path inside an archive or below a folder, or for a file named alone its last part.

    Attributes:
        settings: the data section.
        rows: per file of `data.labels_file`, its values by feature.
    """

    settings: DataSettings
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: DataSettings, features: Sequence[Feature]) -> "FileFacts":
        """Reads the labels file, if there is one.

        Raises:
            DataError: if it cannot be used, or lacks a column that the task needs.
        """
        if not settings.labels_file:
            return cls(settings)
        reader = READERS[settings.told_format()]
        named = reader.named(features)
        columns, rows = _read_rows(settings, [feature.name for feature in named])
        for problem in missing_problems(settings, named, columns, reader.example):
            raise DataError(problem)
        return cls(settings, rows)

    def values_of(self, name: str, named: Sequence[Feature]) -> dict[str, str]:
        """Returns the value of each feature that comes by name, "" where an optional one has none.

        Args:
            name: of the file.
            named: from `Reader.named`.

        Raises:
            Unusable: if the pattern does not match, there is no row, or a value that must be there is not.
        """
        found = self._row(name) if self.settings.labels_file else self._match(name, label_of(named))
        values = {feature.name: found.get(feature.name, "") for feature in named}
        for feature in named:
            if printable(values[feature.name]) != values[feature.name]:
                raise Unusable(f'"{feature.name}" is not utf-8 in the name of the file')
            if not feature.optional and not values[feature.name].strip():
                raise Unusable(f'"{feature.name}" is empty')
        return values

    def split_of(self, name: str) -> str:
        """Returns the split that `data.eval_pattern` and `data.test_pattern` say, or "" where they are not set.

        Raises:
            Unusable: if both match.
        """
        if not self.settings.eval_pattern:
            return ""
        patterns = {"eval": self.settings.eval_pattern, "test": self.settings.test_pattern}
        found = [split for split, pattern in patterns.items() if pattern and re.search(pattern, name)]
        if len(found) > 1:
            raise Unusable("its name has both data.eval_pattern and data.test_pattern")
        return found[0] if found else "train"

    def _row(self, name: str) -> Mapping[str, str]:
        row = self.rows.get(name) or self.rows.get(os.path.basename(name))
        if row is None:
            raise Unusable(f"no row for it in data.labels_file ({self.settings.labels_file})")
        return row

    def _match(self, name: str, label: str) -> Mapping[str, str]:
        pattern, names = self.settings.label_pattern, self.settings.label_names
        if not pattern:
            return {}
        match = re.search(pattern, name)
        if match is None:
            raise Unusable(f"its name does not match data.label_pattern ({pattern})")
        found = match.groupdict(default="")
        if names and found.get(label):
            if found[label] not in names:
                raise Unusable(f'{label} "{found[label]}" is not in data.label_names ({quoted(names)})')
            found[label] = names[found[label]]
        return found


def _read_rows(settings: DataSettings, names: Sequence[str]) -> tuple[set[str], dict[str, dict[str, str]]]:
    """Returns which of the features have a column, and per file its row, without other columns."""
    path, *more = find_files(settings.labels_file, "data.labels_file")
    if more:
        raise DataError(f'"data.labels_file" must name one file. Received: {settings.labels_file}, {1 + len(more)}.')
    lines = (line for line in read_lines(path, settings.encoding) if line.problem or not is_blank([line.text]))
    header = _cells(next(lines, Line(1, "")), path)
    _check_header(header, names, path)
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        cells = _cells(line, path)
        if len(cells) != len(header):
            raise DataError(
                f"{path}:{line.number}: {len(cells)} fields where the header has {len(header)} ({quoted(header)}). "
                "Correct the row."
            )
        row = {column: cell for column, cell in zip(header, cells, strict=True) if column in names}
        name = cells[header.index(_FILE)].removeprefix("./")
        if rows.setdefault(name, row) != row:
            raise DataError(f'{path}:{line.number}: "{name}" has another row that differs. Keep one of them.')
    return {name for name in names if name in header}, rows


def _cells(line: Line, path: str) -> list[str]:
    if line.problem:
        raise DataError(f"{path}:{line.number}: {line.problem}. Set data.encoding to the file's encoding.")
    return line.text.split("\t")


def _check_header(header: Sequence[str], names: Sequence[str], path: str) -> None:
    if header.count(_FILE) == 1 and any(header.count(name) == 1 for name in names):
        if all(header.count(name) <= 1 for name in names):
            return
    raise DataError(
        f"{path}:1: the header must name the columns {_FILE} and {any_of(names)}, once each, with tabs between. "
        f"Received: {quoted(header)}.{did_you_mean(_FILE, header) if _FILE not in header else ''}"
    )
