"""Reads files in parallel with Beam and writes tf.Examples per split, with a full account of what was left out."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx.dsl.io import fileio

from components.errors import DataError
from components.example_gen import report as reports
from components.example_gen.clips import Clips
from components.example_gen.formats import input_files, read_file
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.settings import DataSettings
from components.example_gen.splits import split_of
from models.audio_settings import AudioSettings
from models.features import Feature

COUNTS_FILE = "counts.json"
REFUSED_FILE = "refused.jsonl"

_REPORTS_FILE = "reports.jsonl"
# Few enough that a bucket of a small data set holds several records, many enough that one of a large fits in memory.
_BUCKETS = 64
_LOGGED = 10

_log = logging.getLogger("seqline.data")


def generate_examples(
    pipeline: beam.Pipeline,
    settings: DataSettings,
    features: Sequence[Feature],
    directory: str,
    audio: AudioSettings | None = None,
) -> dict[str, Any]:
    """Reads what the settings name and writes `Split-<name>/data_tfrecord-*.gz`, `refused.jsonl` and `counts.json`.

    Problems travel through Beam as data and are judged after it ended: an error raised inside Beam would come out
    wrapped in its own, and only the first of many.

    Args:
        pipeline: not yet run.
        settings: the data section.
        features: the task's.
        directory: where to write; the caller removes it after an error.
        audio: the audio section, for recordings; None = its defaults.

    Returns:
        What stands in `counts.json`.

    Raises:
        DataError: if the data cannot be used; see `report.judge`.
    """
    files = input_files(settings, features)
    clips = Clips.of(settings, features, audio or AudioSettings())
    splits = settings.splits()
    with pipeline:
        read = (
            pipeline
            | "Files" >> beam.Create(files, reshuffle=True)
            | "Read" >> beam.ParDo(ReadFile(settings, features, clips)).with_outputs("refused", "reports", *splits)
        )
        read.refused | "WriteRefused" >> _one_text_file(directory, REFUSED_FILE)
        read.reports | "WriteReports" >> _one_text_file(directory, _REPORTS_FILE)
        for split in splits:
            _write_split(read[split], split, directory)
    return _account(files, settings, features, directory)


class ReadFile(beam.DoFn):
    """Turns a file into (bucket, serialized tf.Example) per split, refused records and one report."""

    def __init__(self, settings: DataSettings, features: Sequence[Feature], clips: Clips) -> None:
        self._settings = settings
        self._features = tuple(features)
        self._clips = clips

    def process(self, file: InputFile) -> Iterator[Any]:
        """Reads one file to its end, or to where it breaks."""
        report = reports.FileReport(file.paths, file.split)
        try:
            for item in read_file(file, self._features, self._settings, self._clips):
                if isinstance(item, BadRecord):
                    report.refused += 1
                    yield beam.pvalue.TaggedOutput("refused", _to_line(item))
                else:
                    yield self._keep(item, file, report)
        except DataError as error:
            report.problem = str(error)
        yield beam.pvalue.TaggedOutput("reports", report.to_json())

    def _keep(self, record: Record, file: InputFile, report: reports.FileReport) -> beam.pvalue.TaggedOutput:
        key = record.split_key or str(record.values[self._features[0].name])
        split = file.split or record.split or split_of(key, self._settings.split)
        report.kept[split] += 1
        for feature in self._features:
            if feature.kind == "label":
                report.add_label(split, feature.name, str(record.values[feature.name]), record.place)
        return beam.pvalue.TaggedOutput(split, _bucketed(encode(record)))


def encode(record: Record) -> bytes:
    """Returns a serialized tf.Example: one bytes value (UTF-8) per text or label, one float per sample of audio."""
    example = tf.train.Example()
    for name, value in record.values.items():
        feature = example.features.feature[name]
        if isinstance(value, str):
            feature.bytes_list.value.append(value.encode())
        else:
            feature.float_list.value.extend(value.tolist())
    return example.SerializeToString(deterministic=True)


def _bucketed(serialized: bytes) -> tuple[int, bytes]:
    return int.from_bytes(_digest(serialized)[:8]) % _BUCKETS, serialized


def _digest(serialized: bytes) -> bytes:
    return hashlib.sha256(serialized).digest()


def _write_split(examples: beam.PCollection, split: str, directory: str) -> None:
    """Writes a split bucket by bucket.

    Files often come sorted by label. A bucket holds records from all over the data, in the order of their hashes, so
    that the training's shuffle buffer, which sees a small stretch at a time, sees all labels.
    """
    (
        examples
        | f"Mix[{split}]" >> beam.GroupByKey()
        | f"Values[{split}]" >> beam.FlatMap(lambda bucket: sorted(bucket[1], key=_digest))
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
    for number, record in enumerate(read_refused(directory)):
        if number == _LOGGED:
            _log.warning("... %d more in %s", summary["refused"] - _LOGGED, os.path.join(directory, REFUSED_FILE))
            break
        _log.warning("left out: %s", record)
    with fileio.open(os.path.join(directory, COUNTS_FILE), "w") as stream:
        stream.write(json.dumps(summary, ensure_ascii=False, indent=1))
    return summary


def read_refused(directory: str) -> Iterator[BadRecord]:
    """Yields the records that `generate_examples` left out."""
    with fileio.open(os.path.join(directory, REFUSED_FILE)) as stream:
        for line in stream:
            yield BadRecord(**json.loads(line))
