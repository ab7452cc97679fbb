"""What is noted of every record that is kept: its split, its labels, and what a person would want to hear."""

import hashlib
from collections.abc import Sequence

import numpy as np

from components.example_gen.context import ReadContext
from components.example_gen.records import InputFile, Record, texts_of
from components.example_gen.report import FileReport
from components.example_gen.splits import split_of
from models.features import Feature


def count_record(record: Record, file: InputFile, report: FileReport, context: ReadContext) -> str:
    """Notes a record in the report of its file, and returns its split."""
    features = context.features
    split = file.split or record.split or split_of(_split_key(record, features), context.data.split)
    report.kept[split] += 1
    first = record.values[features[0].name]
    for feature in features:
        value = record.values[feature.name]
        if feature.facts.learned == "categories":
            for label in texts_of(value):
                report.add_label(split, feature.name, label, record.place)
        if feature != features[0] and isinstance(value, str) and isinstance(first, str) and value == first:
            report.same[feature.name] += 1
    for note in record.notes:
        report.add_note(note, record.place)
    return split


def _split_key(record: Record, features: Sequence[Feature]) -> str:
    if record.split_key:
        return record.split_key
    first = record.values[features[0].name]
    return hashlib.sha256(first.tobytes()).hexdigest() if isinstance(first, np.ndarray) else " ".join(texts_of(first))
