"""Records with many values: that they go together, and that tags are written in one scheme."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

from components.example_gen.context import ReadContext
from components.example_gen.formats import AUTO
from components.example_gen.records import BadRecord, Record, texts_of
from components.example_gen.tag_schemes import Illegal, scheme_of, to_bio
from models.features import Feature

# Enough to tell a scheme by.
_LOOKED_AT = 20_000

Read = Record | BadRecord


def aligned(records: Iterable[Read], features: Sequence[Feature]) -> Iterator[Read]:
    """Refuses records in which a feature has not one value for each of the feature that it is aligned with."""
    pairs = [(feature.name, feature.aligned_with) for feature in features if feature.aligned_with]
    for record in records:
        yield _not_aligned(record, pairs) or record


def in_one_scheme(read: Callable[[ReadContext], Iterator[Read]], context: ReadContext) -> Iterator[Read]:
    """Writes tags that mark spans in BIO, and refuses records in which they are illegal.

    Args:
        read: reads a file from its beginning; where `data.tag_scheme` is auto, its beginning is read twice.
        context: says the features and the scheme.
    """
    names = [feature.name for feature in context.features if feature.facts.spans]
    schemes = dict.fromkeys(names, context.data.tag_scheme)
    if AUTO in schemes.values():
        looked_at = [
            record for record in itertools.islice(read(context.for_file()), _LOOKED_AT) if isinstance(record, Record)
        ]
        schemes = {name: scheme_of(texts_of(record.values[name]) for record in looked_at) for name in names}
    for record in read(context):
        yield _converted(record, schemes) if schemes and isinstance(record, Record) else record


def _not_aligned(record: Read, pairs: Sequence[tuple[str, str]]) -> BadRecord | None:
    if not isinstance(record, Record):
        return None
    for name, other in pairs:
        have, wanted = (len(texts_of(record.values[each])) for each in (name, other))
        if have != wanted:
            return BadRecord(record.file, record.line, f'"{name}" has {have} values where "{other}" has {wanted}')
    return None


def _converted(record: Record, schemes: dict[str, str]) -> Read:
    values = dict(record.values)
    for name, scheme in schemes.items():
        try:
            values[name] = to_bio(texts_of(record.values[name]), scheme)
        except Illegal as error:
            where = "" if record.lines else f"place {error.place + 1}: "
            line = record.lines[error.place] if record.lines else record.line
            return BadRecord(record.file, line, f"{where}{error} (data.tag_scheme)")
    return dataclasses.replace(record, values=values)
