"""Reads the records of a file, or only its beginning."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from components.errors import DataError
from components.example_gen.context import ReadContext, Section
from components.example_gen.formats import reader_of
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.settings import DataSettings
from components.example_gen.spans import aligned, in_one_scheme
from models.features import Feature

# A second at most.
_PEEKED_FILES, _PEEKED_RECORDS = 20, 1000


def read_file(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the records of one file, good and bad.

    Raises:
        DataError: if the file as a whole cannot be used. It may come after records were handed out.
    """
    empty = True
    for item in aligned(in_one_scheme(lambda: reader_of(file.format).read(file, context), context), context.features):
        empty = False
        yield item
    if empty:
        raise DataError(f"{file.name}: the file has no records. Give a file with some, or take it out of the settings.")


def check_beginnings(
    files: Sequence[InputFile],
    features: Sequence[Feature],
    settings: DataSettings,
    sections: Mapping[str, Section] | None = None,
) -> None:
    """Reads the first records of the first files, so that a mistake shows before minutes have gone by.

    Args:
        files: from `input_files`.
        features: the task's.
        settings: the data section.
        sections: as in `ReadContext`; None = all have their defaults.

    Raises:
        DataError: with one line for each file that cannot be used.
    """
    problems = []
    context = ReadContext.of(features, settings, sections)
    for file in [] if settings.source else files[:_PEEKED_FILES]:
        try:
            for _ in itertools.islice(read_file(file, context), _PEEKED_RECORDS):
                pass
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
