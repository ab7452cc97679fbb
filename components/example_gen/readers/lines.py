"""Plain text, one example a line; its labels, if the task has any, go by the file's name."""

import os
from collections.abc import Iterator, Sequence

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.formats import READERS
from components.example_gen.records import BadRecord, InputFile, Record, Unusable
from components.example_gen.text_files import full_lines
from models.features import Feature


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the lines of a file as texts, all with the labels and the split that the file's name tells.

    A blank line is no text, and is passed over.

    Raises:
        DataError: if the name does not tell what it should.
    """
    path = file.paths[0]
    text, values, split = facts_of(file, context)
    for line in full_lines(path, context):
        if line.problem:
            yield BadRecord(path, line.number, line.problem)
        else:
            yield Record({text: line.text, **values}, path, line.number, split=split)


def facts_of(file: InputFile, context: ReadContext) -> tuple[str, dict[str, str], str]:
    """What holds for all texts of a file: the feature that they are, the values that the name tells, and the split.

    Raises:
        DataError: if the name does not tell what it should.
    """
    path = file.paths[0]
    named = READERS[file.format].named(context.features)
    [text] = [feature.name for feature in context.features if feature not in named]
    return text, _values_of(path, named, context), _split_of(path, context)


def _values_of(path: str, named: Sequence[Feature], context: ReadContext) -> dict[str, str]:
    name, data = os.path.basename(path), context.data
    try:
        return context.facts.values_of(name, named)
    except Unusable as error:
        key = "labels_file" if data.labels_file else "label_pattern"
        needed = " and ".join(feature.name for feature in named if not feature.optional) or "value"
        raise DataError(
            f'"data.{key}" must find a {needed} in every file name. Received: {getattr(data, key)!r} on {name!r}: '
            f"{error}. Correct it, or name only files that carry a {needed}."
        ) from error


def _split_of(path: str, context: ReadContext) -> str:
    try:
        return context.facts.split_of(os.path.basename(path))
    except Unusable as error:
        raise DataError(f"{path}: {error}. Correct the patterns, so that each file is of one split.") from error
