"""What is noted of every record that is kept: its split, its labels, and what a person would want to hear."""

import hashlib
from collections.abc import Sequence

import numpy as np

from components.errors import printable
from components.example_gen.context import ReadContext
from components.example_gen.records import InputFile, Record, texts_of
from components.example_gen.report import FileReport
from components.example_gen.settings import SPLITS
from components.example_gen.splits import split_at, split_of
from models.features import Feature


def count_record(record: Record, file: InputFile, report: FileReport, context: ReadContext, total: int = 0) -> str:
    """Notes a record in the report of its file, and returns its split.

    Args:
        record: the next one of the file.
        file: where it stands.
        report: of the file so far.
        context: of the run.
        total: good records of the file, where their order decides over the split; 0 where it does not, or where the
            number is not known.
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


def _split_key(record: Record, features: Sequence[Feature]) -> str:
    if record.split_key:
        return record.split_key
    first = record.values[features[0].name]
    return hashlib.sha256(first.tobytes()).hexdigest() if isinstance(first, np.ndarray) else " ".join(texts_of(first))
