"""Reads files in parallel with Beam and writes tf.Examples per split, with a full account of what was left out."""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from tfx.dsl.io import fileio

from components.errors import DataError, printable
from components.example_gen import overlap as overlaps
from components.example_gen import report as reports
from components.example_gen.borrowing import borrow, join_small
from components.example_gen.checks import Evidence, check
from components.example_gen.context import ReadContext, Section
from components.example_gen.counting import count_record, number_of_records
from components.example_gen.input_files import input_files
from components.example_gen.moving import move_to_train
from components.example_gen.rare_labels import account_for_moves, split_by_hash
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, InputFile, Record, texts_of
from components.example_gen.settings import DataSettings
from models.features import Feature

COUNTS_FILE = "counts.json"
REFUSED_FILE = "refused.jsonl"

_REPORTS_FILE, _MOVED_FILE, _OVERLAP_FILE = "reports.jsonl", "moved.jsonl", "overlap.json"
# Few enough that a bucket of a small data set holds several records, many enough that one of a large fits in memory.
_BUCKETS = 64
_LOGGED = 10

_log = logging.getLogger("seqline.data")


def generate_examples(
    pipeline: beam.Pipeline,
    settings: DataSettings,
    features: Sequence[Feature],
    directory: str,
    sections: Mapping[str, Section] | None = None,
) -> dict[str, Any]:
    """Reads what the settings name and writes `Split-<name>/data_tfrecord-*.gz`, `refused.jsonl` and `counts.json`.

    Problems travel through Beam as data and are judged after it ended: an error raised inside Beam would come out
    wrapped in its own, and only the first of many.

    Args:
        pipeline: not yet run.
        settings: the data section.
        features: the task's.
        directory: where to write; the caller removes it after an error.
        sections: as in `ReadContext`; None = all have their defaults.

    Returns:
        What stands in `counts.json`.

    Raises:
        DataError: if the data cannot be used; see `report.judge`.
    """
    passed = Counter[str]()
    files = input_files(settings, features, passed)
    context = ReadContext.of(features, settings, sections)
    splits = settings.splits()
    noted = [feature.name for feature in features if feature.facts.noted]
    by_hash = split_by_hash(settings, features)
    with pipeline:
        read = (
            pipeline
            | "Files" >> beam.Create(list(enumerate(files)), reshuffle=True)
            | "Read"
            >> beam.ParDo(ReadFile(context, noted, by_hash)).with_outputs("refused", "reports", "seen", *splits)
        )
        (
            read.seen
            | "SameInput" >> beam.CombinePerKey(overlaps.merge)
            | "InputOverlap" >> beam.Map(lambda item: overlaps.overlap_of(item[1]))
            | "Overlap" >> beam.CombineGlobally(overlaps.add)
            | "OverlapLine" >> beam.Map(lambda overlap: json.dumps(overlap.to_dict()))
            | "WriteOverlap" >> _one_text_file(directory, _OVERLAP_FILE)
        )
        divided = {split: read[split] for split in splits}
        if by_hash:
            divided, moved = move_to_train(divided, read.reports, features)
            moved | "WriteMoved" >> _one_text_file(directory, _MOVED_FILE)
        read.refused | "WriteRefused" >> _one_text_file(directory, REFUSED_FILE)
        read.reports | "WriteReports" >> _one_text_file(directory, _REPORTS_FILE)
        for split in splits:
            write_split(divided[split], split, directory, features)
    return _account(files, settings, features, directory, passed)


class ReadFile(beam.DoFn):
    """Turns a numbered file into (bucket, (position, serialized tf.Example)) per split, refused records, a report.

    And, as `seen`, the digest of each input with what is known of it.

    Args:
        context: of the run.
        noted: features that readers note.
        numbered: whether each example comes with the number of its file, as `move_to_train` needs it.
    """

    def __init__(self, context: ReadContext, noted: Sequence[str] = (), numbered: bool = False) -> None:
        self._context = context
        self._noted = tuple(noted)
        self._numbered = numbered

    def process(self, numbered: tuple[int, InputFile]) -> Iterator[Any]:
        """Reads one file to its end, or to where it breaks."""
        number, file = numbered
        context = self._context.for_file()
        report = reports.FileReport(tuple(map(printable, file.paths)), file.split)
        try:
            total = number_of_records(file, self._context)
            for index, item in enumerate(read_file(file, context)):
                if isinstance(item, BadRecord):
                    report.add_refused(item)
                    yield beam.pvalue.TaggedOutput("refused", _to_line(item))
                else:
                    split = count_record(item, file, report, context, total)
                    placed = self._placed(encode(item, self._noted), (number, index))
                    yield beam.pvalue.TaggedOutput("seen", overlaps.seen_of(item, split, context.features))
                    yield beam.pvalue.TaggedOutput(split, (number, placed) if self._numbered else placed)
        except DataError as error:
            report.problem = str(error)
        report.passed, report.warnings = context.passed, list(map(printable, context.warnings.values()))
        yield beam.pvalue.TaggedOutput("reports", report.to_json())

    def _placed(self, serialized: bytes, place: tuple[int, int]) -> tuple[int, tuple[Any, bytes]]:
        """Returns the bucket and, in it, the position of an example: its place in the files, or by its hash."""
        if self._context.data.ordered:
            return 0, (place, serialized)
        digest = hashlib.sha256(serialized).digest()
        return int.from_bytes(digest[:8]) % _BUCKETS, (digest, serialized)


def encode(record: Record, noted: Sequence[str] = ()) -> bytes:
    """Returns a serialized tf.Example: bytes values (UTF-8) of texts, one float per sample of audio.

    Args:
        record: what was read.
        noted: features that readers note; what this one did not is an empty string.
    """
    example = tf.train.Example()
    for name, value in {**record.values, **{name: record.notes.get(name, "") for name in noted}}.items():
        feature = example.features.feature[name]
        if isinstance(value, np.ndarray):
            feature.float_list.value.extend(value.tolist())
        else:
            feature.bytes_list.value.extend(text.encode() for text in texts_of(value))
    return example.SerializeToString(deterministic=True)


def write_split(examples: beam.PCollection, split: str, directory: str, features: Sequence[Feature] = ()) -> None:
    """Writes a split bucket by bucket, each in the order of its positions.

    Files often come sorted by label. A bucket holds records from all over the data, in the order of their hashes, so
    that the training's shuffle buffer, which sees a small stretch at a time, sees all labels. Data in order are one
    bucket, and so one file: between files there would be no order.
    """
    (
        join_small(examples, split, features)
        | f"Gather[{split}]" >> beam.GroupByKey()
        | f"Values[{split}]"
        >> beam.FlatMap(lambda bucket: borrow([serialized for _, serialized in sorted(bucket[1])], features))
        | f"Write[{split}]"
        >> beam.io.WriteToTFRecord(os.path.join(directory, f"Split-{split}", "data_tfrecord"), file_name_suffix=".gz")
    )


def _one_text_file(directory: str, name: str) -> beam.PTransform:
    return beam.io.WriteToText(os.path.join(directory, name), num_shards=1, shard_name_template="")


def _to_line(record: BadRecord) -> str:
    told = {"file": printable(record.file), "line": record.line, "reason": printable(record.reason)}
    told |= {"lines": record.lines} if record.lines > 1 else {}
    told |= {"rule": record.rule, "action": record.action} if record.rule else {}
    return json.dumps(told, ensure_ascii=False)


def _account(
    files: Sequence[InputFile],
    settings: DataSettings,
    features: Sequence[Feature],
    directory: str,
    passed: Counter[str],
) -> dict[str, Any]:
    """Judges the reports, logs what was refused, and writes `counts.json`."""
    path = os.path.join(directory, _REPORTS_FILE)
    order = {tuple(map(printable, file.paths)): position for position, file in enumerate(files)}
    with fileio.open(path) as stream:
        found = sorted(map(reports.FileReport.from_json, stream), key=lambda report: order[report.paths])
    fileio.remove(path)
    moved = set()
    if split_by_hash(settings, features):
        moved = account_for_moves(found, _moves(directory))
    reports.judge(found, read_refused(directory), features, settings)
    summary = reports.counts(found, features, settings.splits(), passed)
    evidence = Evidence(found, _read_overlap(directory), features, settings.splits(), moved=moved, gate=settings.gate)
    summary |= {"warnings": check(evidence), "repeated": dict(evidence.overlap.repeated)}
    left_out = summary["refused"] + sum(summary["set_aside"].values())
    for number, record in enumerate(read_refused(directory)):
        if number == _LOGGED:
            _log.warning("... %d more in %s", left_out - _LOGGED, os.path.join(directory, REFUSED_FILE))
            break
        _log.warning("left out: %s", record)
    with fileio.open(os.path.join(directory, COUNTS_FILE), "w") as stream:
        stream.write(json.dumps(summary, ensure_ascii=False, indent=1))
    return summary


def _moves(directory: str) -> Counter[tuple[int, str]]:
    """How many examples `move_to_train` took out of a split, by number of the file and split."""
    path = os.path.join(directory, _MOVED_FILE)
    with fileio.open(path) as stream:
        moved = Counter((number, split) for number, split in map(json.loads, stream))
    fileio.remove(path)
    return moved


def _read_overlap(directory: str) -> overlaps.Overlap:
    path = os.path.join(directory, _OVERLAP_FILE)
    with fileio.open(path) as stream:
        overlap = overlaps.Overlap.from_dict(json.loads(stream.read()))
    fileio.remove(path)
    return overlap


def read_refused(directory: str) -> Iterator[BadRecord]:
    """Yields the records that `generate_examples` left out."""
    with fileio.open(os.path.join(directory, REFUSED_FILE)) as stream:
        for line in stream:
            yield BadRecord(**json.loads(line))
