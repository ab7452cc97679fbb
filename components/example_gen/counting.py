"""What is noted of every record that is kept: its split, its labels, and what a person would want to hear."""

import hashlib
import math
import sys
import time
from collections.abc import Sequence

import numpy as np

from components.errors import printable
from components.example_gen.context import ReadContext
from components.example_gen.reading import read_file
from components.example_gen.records import InputFile, Record, texts_of
from components.example_gen.report import FileReport
from components.example_gen.settings import SPLITS
from components.example_gen.splits import split_at, split_of
from models.features import Feature

# More than any file has, so that each record counts as one of the first.
NOT_KNOWN = sys.maxsize


def count_record(record: Record, file: InputFile, report: FileReport, context: ReadContext, total: int = 0) -> str:
    """Notes a record in the report of its file, and returns its split.

    Args:
        record: the next one of the file.
        file: where it stands.
        report: of the file so far.
        context: of the run.
        total: `number_of_records` of the file.
    """
    features, sizes = context.features, context.data.split
    split = file.split or record.split
    if not split and total:
        in_order = {split: sizes[split] for split in SPLITS if split in sizes}
        split = split_at(report.kept.total(), total, in_order)
    split = split or split_of(_split_key(record, features), sizes)
    report.kept[split] += 1
    first = record.values[features[0].name]
    for feature in features:
        value = record.values[feature.name]
        if feature.facts.learned == "categories":
            for label in texts_of(value):
                report.add_label(split, feature.name, label, printable(record.place))
        if feature != features[0] and isinstance(value, str) and isinstance(first, str) and value == first:
            report.same[feature.name] += 1
    for remark in record.remarks:
        report.add_remark(remark, printable(record.place))
    return split


def number_of_records(file: InputFile, context: ReadContext, deadline: float = math.inf) -> int:
    """The number of good records of a file where their order decides over the split, else 0; for `count_record`.

    Args:
        file: read once more rather than held: it may be larger than the memory.
        context: of the run.
        deadline: of `time.monotonic`; past it the number is not known, and taken for one without end.
    """
    if file.split or context.data.split_by != "order":
        return 0
    total = 0
    for item in read_file(file, context.for_file()):
        if time.monotonic() > deadline:
            return NOT_KNOWN
        total += isinstance(item, Record)
    return total


def _split_key(record: Record, features: Sequence[Feature]) -> str:
    if record.split_key:
        return record.split_key
    first = record.values[features[0].name]
    return hashlib.sha256(first.tobytes()).hexdigest() if isinstance(first, np.ndarray) else " ".join(texts_of(first))
