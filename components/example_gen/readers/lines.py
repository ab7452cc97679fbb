"""Plain text, one example a line, whose label stands in the file name."""

import os
import re
from collections.abc import Iterator, Sequence

from components.errors import DataError
from components.example_gen.clips import name_of
from components.example_gen.records import BadRecord, InputFile, Record, Unusable, checked
from components.example_gen.settings import DataSettings
from components.example_gen.text_files import read_lines
from models.features import Feature


def read_labelled_lines(
    file: InputFile, features: Sequence[Feature], settings: DataSettings
) -> Iterator[Record | BadRecord]:
    """Yields the lines of a file as texts, all with the label that `data.label_pattern` finds in the file's name."""
    path = file.paths[0]
    match = re.search(settings.label_pattern, os.path.basename(path))
    if match is None or not match["label"]:
        raise DataError(
            f'"data.label_pattern" must find a label in every file name. Received: {settings.label_pattern!r} on '
            f"{os.path.basename(path)!r}. Correct the pattern, or name only files that carry a label."
        )
    try:
        label = name_of(match["label"], settings)
    except Unusable as error:
        raise DataError(f"{path}: {error}. Name it there, or name only files whose label is.") from error
    for line in read_lines(path, settings.encoding):
        if line.problem:
            yield BadRecord(path, line.number, line.problem)
        else:
            values = {feature.name: label if feature.kind == "label" else line.text for feature in features}
            yield checked(values, path, line.number)
