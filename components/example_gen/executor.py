"""Reads files in parallel with Beam and writes tf.Examples per split, with a full account of what was left out."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from tfx.dsl.io import fileio

from components.errors import DataError
from components.example_gen import overlap as overlaps
from components.example_gen import report as reports
from components.example_gen.checks import Evidence, check
from components.example_gen.context import ReadContext, Section
from components.example_gen.counting import count_record
from components.example_gen.input_files import input_files
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, InputFile, Record, texts_of
from components.example_gen.settings import DataSettings
from models.features import Feature

COUNTS_FILE = "counts.json"
REFUSED_FILE = "refused.jsonl"

_REPORTS_FILE, _OVERLAP_FILE = "reports.jsonl", "overlap.json"
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
    files = input_files(settings, features)
    context = ReadContext.of(features, settings, sections)
    splits = settings.splits()
    with pipeline:
        read = (
            pipeline
            | "Files" >> beam.Create(list(enumerate(files)), reshuffle=True)
            | "Read" >> beam.ParDo(ReadFile(context)).with_outputs("refused", "reports", "seen", *splits)
        )
        (
            read.seen
            | "SameInput" >> beam.CombinePerKey(overlaps.merge)
            | "InputOverlap" >> beam.Map(lambda item: overlaps.overlap_of(item[1]))
            | "Overlap" >> beam.CombineGlobally(overlaps.add)
            | "OverlapLine" >> beam.Map(lambda overlap: json.dumps(overlap.to_dict()))
            | "WriteOverlap" >> _one_text_file(directory, _OVERLAP_FILE)
        )
        read.refused | "WriteRefused" >> _one_text_file(directory, REFUSED_FILE)
        read.reports | "WriteReports" >> _one_text_file(directory, _REPORTS_FILE)
        for split in splits:
            write_split(read[split], split, directory)
    return _account(files, settings, features, directory)


class ReadFile(beam.DoFn):
    """Turns a numbered file into (bucket, (position, serialized tf.Example)) per split, refused records, a report.

    And, as `seen`, the digest of each input with what is known of it.
    """

    def __init__(self, context: ReadContext) -> None:
        self._context = context

    def process(self, numbered: tuple[int, InputFile]) -> Iterator[Any]:
        """Reads one file to its end, or to where it breaks."""
        number, file = numbered
        report = reports.FileReport(file.paths, file.split)
        try:
            for index, item in enumerate(read_file(file, self._context)):
                if isinstance(item, BadRecord):
                    report.add_refused(item)
                    yield beam.pvalue.TaggedOutput("refused", _to_line(item))
                else:
                    split = count_record(item, file, report, self._context)
                    yield beam.pvalue.TaggedOutput("seen", overlaps.seen_of(item, split, self._context.features))
                    yield beam.pvalue.TaggedOutput(split, self._placed(encode(item), (number, index)))
        except DataError as error:
            report.problem = str(error)
        yield beam.pvalue.TaggedOutput("reports", report.to_json())

    def _placed(self, serialized: bytes, place: tuple[int, int]) -> tuple[int, tuple[Any, bytes]]:
        """Returns the bucket and, in it, the position of an example: its place in the files, or by its hash."""
        if self._context.data.ordered:
            return 0, (place, serialized)
        digest = hashlib.sha256(serialized).digest()
        return int.from_bytes(digest[:8]) % _BUCKETS, (digest, serialized)


def encode(record: Record) -> bytes:
    """Returns a serialized tf.Example: bytes values (UTF-8) of texts, one float per sample of audio."""
    example = tf.train.Example()
    for name, value in record.values.items():
        feature = example.features.feature[name]
        if isinstance(value, np.ndarray):
            feature.float_list.value.extend(value.tolist())
        else:
            feature.bytes_list.value.extend(text.encode() for text in texts_of(value))
    return example.SerializeToString(deterministic=True)


def write_split(examples: beam.PCollection, split: str, directory: str) -> None:
    """Writes a split bucket by bucket, each in the order of its positions.

    Files often come sorted by label. A bucket holds records from all over the data, in the order of their hashes, so
    that the training's shuffle buffer, which sees a small stretch at a time, sees all labels. Data in order are one
    bucket, and so one file: between files there would be no order.
    """
    (
        examples
        | f"Gather[{split}]" >> beam.GroupByKey()
        | f"Values[{split}]" >> beam.FlatMap(lambda bucket: [serialized for _, serialized in sorted(bucket[1])])
        | f"Write[{split}]"
        >> beam.io.WriteToTFRecord(os.path.join(directory, f"Split-{split}", "data_tfrecord"), file_name_suffix=".gz")
    )


def _one_text_file(directory: str, name: str) -> beam.PTransform:
    return beam.io.WriteToText(os.path.join(directory, name), num_shards=1, shard_name_template="")


def _to_line(record: BadRecord) -> str:
    return json.dumps({"file": record.file, "line": record.line, "reason": record.reason}, ensure_ascii=False)


def _account(
    files: Sequence[InputFile], settings: DataSettings, features: Sequence[Feature], directory: str
) -> dict[str, Any]:
    """Judges the reports, logs what was refused, and writes `counts.json`."""
    path = os.path.join(directory, _REPORTS_FILE)
    order = {file.paths: position for position, file in enumerate(files)}
    with fileio.open(path) as stream:
        found = sorted(map(reports.FileReport.from_json, stream), key=lambda report: order[report.paths])
    fileio.remove(path)
    reports.judge(found, read_refused(directory), features, settings)
    summary = reports.counts(found, settings.splits())
    evidence = Evidence(found, _read_overlap(directory), features, settings.splits())
    summary |= {"warnings": check(evidence), "repeated": dict(evidence.overlap.repeated)}
    for number, record in enumerate(read_refused(directory)):
        if number == _LOGGED:
            _log.warning("... %d more in %s", summary["refused"] - _LOGGED, os.path.join(directory, REFUSED_FILE))
            break
        _log.warning("left out: %s", record)
    with fileio.open(os.path.join(directory, COUNTS_FILE), "w") as stream:
        stream.write(json.dumps(summary, ensure_ascii=False, indent=1))
    return summary


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
