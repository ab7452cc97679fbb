"""Reads the records of a file, or only its beginning."""

import dataclasses
import itertools
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from components.errors import DataError
from components.example_gen.context import ReadContext, Section
from components.example_gen.formats import reader_of
from components.example_gen.gate import gated
from components.example_gen.passing_over import EMPTY
from components.example_gen.records import BadRecord, InputFile, Record, Value, place, texts_of, told
from components.example_gen.settings import DataSettings
from components.example_gen.spans import aligned, in_one_scheme
from components.example_gen.suggestions import shown
from components.example_gen.text_files import open_unpacked
from models.features import Feature

# A second at most.
_PEEKED_FILES, _PEEKED_RECORDS = 20, 1000


def read_file(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the records of one file, good and bad, with labels trimmed and in one Unicode form (NFC).

    A file without records that a pattern or a folder brought, as writers of part files leave them, is passed over.

    Raises:
        DataError: if the file as a whole cannot be used. It may come after records were handed out.
    """
    labels = [feature.name for feature in context.features if feature.facts.learned == "categories"]
    last = ""
    try:
        records = in_one_scheme(lambda where: reader_of(file.format).read(file, where), context)
        for item in aligned(records, context.features):
            last = place(item.file, item.line)
            if isinstance(item, Record):
                item = gated(_with_plain_labels(item, labels, context), context.features, context.data.gate)
            yield item
    except DataError:
        if not (file.found and not last and _holds_nothing(file)):
            raise
    except Exception as error:  # no exception of a library may reach the user as it is
        behind = f", behind {last}" if last else ""
        raise DataError(
            f"{file.name}: cannot be read{behind} ({told(error)}). Check or write the file again."
        ) from error
    if last:
        return
    if not file.found:
        raise DataError(f"{file.name}: the file has no records. Give a file with some, or take it out of the settings.")
    context.passed[EMPTY] += 1


def _holds_nothing(file: InputFile) -> bool:
    """Whether a file, or each of those of parallel text, is of no bytes."""
    for path in file.paths:
        with open_unpacked(path) as stream:
            if stream.read(1):
                return False
    return True


def _with_plain_labels(record: Record, labels: Sequence[str], context: ReadContext) -> Record:
    plain: dict[str, Value] = {}
    for name in labels:
        value = record.values[name]
        if isinstance(value, str):
            plain[name] = _plain(value, name, record, context)
        else:
            plain[name] = [_plain(text, name, record, context) for text in texts_of(value)]
    if all(record.values[name] == value for name, value in plain.items()):
        return record
    return dataclasses.replace(record, values={**record.values, **plain})


def _plain(label: str, name: str, record: Record, context: ReadContext) -> str:
    """The label as it is compared: without blanks around it, and in one Unicode form."""
    if label.isascii() and label == label.strip():
        return label
    plain = unicodedata.normalize("NFC", label).strip()
    if plain != label:
        context.warn(
            f"{name} {label}",
            f'{record.place}: {name} "{_spelled(label)}" is taken as "{shown(plain)}": labels are compared '
            "without blanks around them and in one Unicode form (NFC).",
        )
    return plain


def _spelled(label: str) -> str:
    """A label so that combining marks are seen too."""
    return "".join(
        sign.encode("unicode_escape").decode() if unicodedata.combining(sign) else sign for sign in shown(label)
    )


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
