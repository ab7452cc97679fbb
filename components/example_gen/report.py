"""What was read, kept and refused: counted per file, added up, and judged."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from components.errors import DataError, printable
from components.example_gen.records import BadRecord, file_name
from components.example_gen.settings import DataSettings
from components.example_gen.suggestions import did_you_mean, difference, looks, quoted, shown
from models.features import Feature

_SHOWN = 10


@dataclass
class FileReport:
    """Counts of one file.

    Attributes:
        paths: the file, or the files of parallel text.
        split: the split it belongs to, or None where a hash decides for each record.
        refused: number of bad records, of those that took several lines each line.
        set_aside: number of records that a rule of the gate sets aside, by the rule.
        failed: the records on which a rule of the gate stops the run, the first ten.
        kept: number of records per split.
        labels: per split, label feature and label: the place where it came first.
        problem: why the file as a whole cannot be used, or empty.
        passed: how much was passed over, by the words of `passing_over`.
        warnings: sentences about what is perhaps not meant so.
        first_refused: the first bad record and the reason.
        same: by feature, the number of records whose value there is the input, the task's first feature.
        remarks: by what a reader remarked of a record, the number of such records and the first place.
    """

    paths: tuple[str, ...]
    split: str | None
    refused: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    labels: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    problem: str = ""
    passed: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)
    first_refused: str = ""
    same: Counter[str] = field(default_factory=Counter)
    remarks: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The name in messages and counts."""
        return file_name(self.paths)

    @property
    def read(self) -> int:
        """Number of records, good and bad."""
        return self.refused + self.set_aside.total() + self.kept.total()

    def add_label(self, split: str, feature: str, label: str, place: str) -> None:
        """Remembers a label that stands in a record at `place`."""
        self.labels.setdefault(split, {}).setdefault(feature, {}).setdefault(label, place)

    def add_refused(self, record: BadRecord) -> None:
        """Counts a bad record, one that took several lines as many."""
        if record.rule:
            self.set_aside[record.rule] += 1
            if record.action == "fail" and len(self.failed) < _SHOWN:
                self.failed.append(printable(str(record)))
            return
        self.refused += record.lines
        self.first_refused = self.first_refused or printable(str(record))

    def add_remark(self, remark: str, place: str) -> None:
        """Counts what a reader remarked of the record at `place`."""
        count, first = self.remarks.get(remark, (0, place))
        self.remarks[remark] = (count + 1, first)

    def to_json(self) -> str:
        """Returns the report as one line."""
        return json.dumps(vars(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "FileReport":
        """Reads what `to_json` wrote."""
        values = json.loads(text)
        counters = {name: Counter(values[name]) for name in ("kept", "passed", "same", "set_aside")}
        remarks = {remark: tuple(found) for remark, found in values["remarks"].items()}
        return cls(**{**values, **counters, "remarks": remarks, "paths": tuple(values["paths"])})


def counts(
    reports: Sequence[FileReport], features: Sequence[Feature], splits: Sequence[str], passed: Mapping[str, int]
) -> dict[str, Any]:
    """Returns the content of `counts.json`: totals, classes and kept per split, and all three figures per file.

    Args:
        reports: of all files.
        features: the task's.
        splits: their names.
        passed: what was passed over while files were looked for.
    """
    return {
        "read": sum(report.read for report in reports),
        "kept": sum(report.kept.total() for report in reports),
        "refused": sum(report.refused for report in reports),
        "set_aside": dict(sum((report.set_aside for report in reports), Counter())),
        "passed_over": dict(sum((report.passed for report in reports), Counter(passed))),
        "labels": {split: classes_of(reports, split, features) for split in splits},
        "splits": {split: sum(report.kept[split] for report in reports) for split in splits},
        "files": {
            report.file: {
                "split": report.split,
                "read": report.read,
                "kept": dict(report.kept),
                "refused": report.refused,
                "set_aside": report.set_aside.total(),
            }
            for report in reports
        },
    }


def judge(
    reports: Sequence[FileReport],
    refused: Iterable[BadRecord],
    features: Sequence[Feature],
    settings: DataSettings,
    whole: bool = True,
) -> None:
    """Stops the run if the data cannot be used.

    1. a file that cannot be used as a whole
    2. a record that breaks a rule of the gate whose action is fail
    3. too many bad records in a split
    4. a split without records
    5. a label feature with one value only (unless it is optional), or with values that training never sees

    Args:
        reports: of all files.
        refused: the bad records.
        features: the task's.
        settings: the data section.
        whole: whether all was read. If not, only what no further record can change is judged.

    Raises:
        DataError: on the first of these.
    """
    _check_files(reports)
    _check_gate(reports)
    if whole or not settings.max_bad_fraction:
        _check_refused(reports, refused, settings)
    if not whole:
        return
    _check_empty(reports, settings)
    for feature in features:
        if feature.facts.learned == "categories":
            check_labels(reports, feature)


def _check_files(reports: Sequence[FileReport]) -> None:
    problems = [report.problem for report in reports if report.problem]
    if problems:
        more = f"\n... and {len(problems) - _SHOWN} more files." if len(problems) > _SHOWN else ""
        raise DataError("\n".join(problems[:_SHOWN]) + more)


def _check_gate(reports: Sequence[FileReport]) -> None:
    failed = [record for report in reports for record in report.failed]
    if failed:
        raise DataError(
            "Records break rules of data.gate that fail. The first of them:\n"
            + "\n".join(f"  {record}" for record in failed[:_SHOWN])
            + "\n  Correct the records, set the rule to quarantine, which sets them aside, or let them pass this once: "
            "seqline run --approve RULE."
        )


def _check_refused(reports: Sequence[FileReport], refused: Iterable[BadRecord], settings: DataSettings) -> None:
    for split in dict.fromkeys(report.split for report in reports):
        files = [report for report in reports if report.split == split]
        bad, read = sum(report.refused for report in files), sum(report.read for report in files)
        if bad > settings.max_bad_fraction * read:
            paths = {path for report in files for path in report.paths}
            archives = tuple(f"{path}/" for path in paths)
            unread = (record for record in refused if not record.rule)
            of_split = (record for record in unread if record.file in paths or record.file.startswith(archives))
            shown = heapq.nsmallest(_SHOWN, of_split, key=lambda record: (record.file, record.line))
            raise DataError(
                f"{bad} of {read} records{f' of split {split}' if split else ''} cannot be used ({bad / read:.2%}); "
                f'"data.max_bad_fraction" allows {settings.max_bad_fraction:.2%}. '
                f"{'The first of them' if bad > _SHOWN else 'They are'}:\n"
                + "\n".join(f"  {record}" for record in shown)
                + "\n  Correct the records, or raise data.max_bad_fraction to leave them out."
            )


def _check_empty(reports: Sequence[FileReport], settings: DataSettings) -> None:
    for split in settings.splits():
        if not any(report.kept[split] for report in reports):
            total = sum(report.kept.total() for report in reports)
            aside: Counter[str] = sum((report.set_aside for report in reports), Counter())
            if aside:
                rules = ", ".join(f"{count} by data.gate.{rule}" for rule, count in aside.items())
                way_out = f"Records were set aside: {rules}. Correct the rule, or set it to warn."
            elif settings.train:
                way_out = "Name files with good records."
            elif settings.eval_pattern:
                way_out = (
                    f"Correct the patterns: data.eval_pattern {settings.eval_pattern!r}, data.test_pattern "
                    f"{settings.test_pattern!r}, {total} records came."
                )
            else:
                way_out = f'Give more data ({total} records came), or a larger "data.split" size: {settings.split}.'
            raise DataError(f"The {split} split has no records. {way_out}")


def check_labels(reports: Sequence[FileReport], feature: Feature) -> None:
    """Raises DataError where train has one label only, or another split one that train lacks."""
    known = labels_of(reports, "train", feature.name)
    if len(known) < 2 and not feature.optional:
        raise DataError(
            f'"{feature.name}" must have at least two different values in the train split. '
            f"Received: {quoted(known)} only. Check the label column, or give files of all classes."
        )
    for split in ("eval", "test"):
        for label, place in labels_of(reports, split, feature.name).items():
            if label not in known:
                alike = next((other for other in known if looks(other) == looks(label)), "")
                near = f" {difference(label, alike)}" if alike else did_you_mean(label, known)
                raise DataError(
                    f'{place}: {feature.name} "{shown(label)}" of the {split} split does not occur in train, '
                    f"so it cannot be learned. Labels in train: {quoted(sorted(known))}.{near}"
                    " Correct the label, or give training examples for it."
                )


def classes_of(reports: Sequence[FileReport], split: str, features: Sequence[Feature]) -> list[str]:
    """Returns what figures by class can be about: the classes of all label features in a split."""
    labeled = [feature for feature in features if feature.facts.learned == "categories"]
    return sorted(
        {label for feature in labeled for label in feature.facts.classes(labels_of(reports, split, feature.name))}
    )


def labels_of(reports: Sequence[FileReport], split: str, feature: str) -> dict[str, str]:
    """Returns each label with the first place, files in the order of the settings, that has it."""
    found: dict[str, str] = {}
    for report in reports:
        for label, place in report.labels.get(split, {}).get(feature, {}).items():
            found.setdefault(label, place)
    return found
