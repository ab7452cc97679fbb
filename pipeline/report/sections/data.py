"""What the data are: how many, of which labels, how long, what was refused, what eval shares with train."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from components.data_gate import REPORT_FILE
from components.example_gen.executor import read_refused
from pipeline.report.form import Bars, Block, Paragraph, Section, Table
from pipeline.report.raw_examples import SHOWN, SplitSample, read_counts, sample_split
from pipeline.report.source import Source
from pipeline.report.words import name_of

_REFUSED_SHOWN, _LABELS_SHOWN, _BINS = 100, 15, 20
_TEXT_SHOWN = 300


def section(source: Source) -> Section | None:
    """What was read; a run that failed while it read has nothing of it."""
    examples = source.folder("examples")
    counts = read_counts(examples)
    if examples is None or counts is None:
        return None
    samples = {split: sample_split(examples / f"Split-{split}", source.config.features) for split in counts["splits"]}
    blocks: list[Block] = [
        *_by_split(counts),
        *_labels(samples),
        *_lengths(samples),
        *_overlap(counts, samples),
        *_refused(examples, counts),
        *_anomalies(source.folder("report")),
        *_shown(samples),
    ]
    return Section(name="data", title="Data", blocks=blocks)


def _by_split(counts: dict) -> Iterator[Block]:
    total = sum(counts["splits"].values())
    yield Paragraph(
        text=f"{counts['read']} records were read, {counts['refused']} refused, {_set_aside(counts)} set aside in "
        f"quarantine, {total} kept."
        + "".join(f" Passed over: {count} {name}." for name, count in counts["passed_over"].items())
    )
    splits = list(counts["splits"])
    yield Table(
        title="Records by source and split",
        columns=["file", "read", "refused", "set aside", *splits],
        rows=[
            [
                file,
                one["read"],
                one["refused"],
                one.get("set_aside", 0),
                *(one["kept"].get(split, 0) for split in splits),
            ]
            for file, one in list(counts["files"].items())[:_REFUSED_SHOWN]
        ],
    )


def _labels(samples: Mapping[str, SplitSample]) -> Iterator[Block]:
    for name in dict.fromkeys(label for sample in samples.values() for label in sample.labels):
        by_split = {split: sample.labels.get(name, Counter()) for split, sample in samples.items()}
        total = sum(by_split.values(), Counter[str]())
        ranked = sorted(total, key=lambda label: (-total[label], label))
        if not ranked:
            continue
        kept = ranked
        title = f"{name_of(name).capitalize()}: how often each value occurs"
        if len(ranked) > 2 * _LABELS_SHOWN:
            kept = ranked[:_LABELS_SHOWN] + ranked[-_LABELS_SHOWN:]
            title += f" (the {_LABELS_SHOWN} commonest and the {_LABELS_SHOWN} rarest of {len(ranked)})"
        rows = [[float(counted.get(label, 0)) for counted in by_split.values()] for label in kept]
        yield Bars(title=title, groups=list(samples), names=kept, counts=rows, unit=_unit(samples))


def _unit(samples: Mapping[str, SplitSample]) -> str:
    return "values in " + ", ".join(f"{sample.read} examples of {split}" for split, sample in samples.items())


def _lengths(samples: Mapping[str, SplitSample]) -> Iterator[Block]:
    for name in dict.fromkeys(feature for sample in samples.values() for feature in sample.lengths):
        by_split = {split: np.array(sample.lengths.get(name, [])) for split, sample in samples.items()}
        everything = np.concatenate(list(by_split.values()))
        if not len(everything):
            continue
        # The few longest would press all others into one bar.
        top = max(1, int(np.quantile(everything, 0.99)))
        ends = np.unique(np.linspace(0, top + 1, _BINS + 1).astype(int))
        names = [f"{low}–{high - 1}" if high - low > 1 else str(low) for low, high in zip(ends, ends[1:], strict=False)]
        counted = [
            np.histogram(lengths, bins=[*ends, max(everything.max(), top) + 2])[0] for lengths in by_split.values()
        ]
        shares = [[float(row[place]) for row in counted] for place in range(len(names) + 1)]
        yield Bars(
            title=f"Length of {name_of(name)}, in words (of sound: samples)",
            groups=list(samples),
            names=[*names, f"over {top}"],
            counts=shares,
            unit="examples",
        )
        yield Table(
            title=f"Length of {name_of(name)}",
            columns=["split", "least", "median", "95 % are at most", "longest"],
            rows=[
                [
                    split,
                    int(lengths.min()),
                    float(np.median(lengths)),
                    float(np.quantile(lengths, 0.95)),
                    int(lengths.max()),
                ]
                for split, lengths in by_split.items()
                if len(lengths)
            ],
        )


def _overlap(counts: dict, samples: Mapping[str, SplitSample]) -> Iterator[Block]:
    train = set(samples["train"].inputs) if "train" in samples else set()
    rows: list[list[str | int | float | None]] = []
    for split, sample in samples.items():
        if split != "train" and sample.inputs:
            alike = sum(text in train for text in sample.inputs)
            rows.append([split, counts["repeated"].get(split, 0), alike, alike / len(sample.inputs)])
    if rows:
        yield Table(
            title="The same input in train and elsewhere",
            columns=["split", "to the letter", "but for case and blanks", "share"],
            rows=rows,
            note="Figures over repeated examples look better than the model is. The last two columns are of the "
            "examples that were looked at.",
        )


def _set_aside(counts: dict) -> int:
    """How many records a rule of the gate sets aside; runs of before have none."""
    return sum(counts.get("set_aside", {}).values())


def _refused(examples: Path, counts: dict) -> Iterator[Block]:
    records = list(itertools.islice(read_refused(str(examples)), _REFUSED_SHOWN))
    if records:
        yield Table(
            title=f"Records that were left out ({len(records)} of {counts['refused'] + _set_aside(counts)})",
            columns=["file", "line", "reason", "what became of it"],
            rows=[[record.file, record.line, record.reason, record.action or "refused"] for record in records],
            folded=len(records) > SHOWN,
        )


def _anomalies(report: Path | None) -> Iterator[Block]:
    if report is None or not (report / REPORT_FILE).exists():
        return
    rules = json.loads((report / REPORT_FILE).read_text(encoding="utf-8"))["rules"]
    rows: list[list[str | int | float | None]] = [
        [rule["name"], rule["level"], finding] for rule in rules for finding in rule["findings"]
    ]
    if rows:
        yield Table(title="What the data gate found", columns=["rule", "level", "finding"], rows=rows)
    else:
        yield Paragraph(text=f"The data gate found nothing by its {len(rules)} rules.")


def _shown(samples: Mapping[str, SplitSample]) -> Iterator[Block]:
    for split, sample in samples.items():
        names = list(dict.fromkeys(name for row in sample.texts for name in row))
        if names:
            rows: list[list[str | int | float | None]] = [
                [row.get(name, "")[:_TEXT_SHOWN] for name in names] for row in sample.texts
            ]
            title = f"{len(rows)} examples of {split}"
            yield Table(title=title, columns=[name_of(name) for name in names], rows=rows, folded=True)
