"""Runs side by side: a report whose sections say what differs from the first of them."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.training_curves import FILE
from pipeline.config.config import Config
from pipeline.report.evaluated import answers_with_text
from pipeline.report.form import (
    Block,
    Cell,
    Curves,
    Example,
    ExampleList,
    Line,
    Paragraph,
    Report,
    Section,
    Span,
    Spans,
    Table,
)
from pipeline.report.pairing import Pairing
from pipeline.report.raw_examples import read_counts
from pipeline.report.sections.provenance import differing
from pipeline.report.sections.training import is_metric
from pipeline.report.source import Source
from pipeline.report.words import finite, name_of, number
from pipeline.report.write import ReportError, files_of, open_source, settings_of, write_files
from pipeline.run.output_folder import OutputFolder

_SHOWN, _CHANCE = 100, 0.05


def write_comparison(config: Config, run_ids: Sequence[str]) -> Path:
    """Writes the page and the JSON beside the reports of runs; returns the page.

    Args:
        config: says where the runs are.
        run_ids: two or more, the one that the others are compared with first.

    Raises:
        ReportError: fewer than two runs, one that there is not, or runs of different tasks.
    """
    if len(dict.fromkeys(run_ids)) < 2:
        raise ReportError(f"Two runs or more can be compared. Received: {' '.join(run_ids)}. List them: seqline runs")
    with contextlib.ExitStack() as scratch:
        sources = [open_source(config, run_id, scratch) for run_id in dict.fromkeys(run_ids)]
        tasks = {source.run.run_id: source.config.task for source in sources}
        if len(set(tasks.values())) > 1:
            told = ", ".join(f"{task} in run {run_id}" for run_id, task in tasks.items())
            raise ReportError(f"Runs of one task can be compared. Received: {told}. Name others")
        report = make_comparison(sources)
        return write_files(OutputFolder(config).report(_folder_name(list(tasks))), files_of(report))


def _folder_name(run_ids: Sequence[str]) -> str:
    name = "-against-".join(run_ids)
    # File systems take no longer names than 255 bytes.
    return name if len(name) <= 200 else f"{len(run_ids)}-runs-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def make_comparison(sources: Sequence[Source]) -> Report:
    """All that differs between runs of one task."""
    examples: list[Example] = []
    sections = [
        Section(name="metrics", title="Metrics", blocks=list(_metrics(sources))),
        Section(name="answers", title="Answers that changed", blocks=list(_changed(sources, examples))),
        Section(name="settings", title="Settings that differ", blocks=[_settings(sources)]),
        Section(name="data", title="Data", blocks=[_data(sources)]),
        Section(name="training", title="Training", blocks=list(_training(sources))),
    ]
    first = sources[0]
    return Report(
        run_id=" ".join(source.run.run_id for source in sources),
        name=first.run.name,
        title=f"{first.run.name}: {len(sources)} runs compared",
        task=first.config.task,
        started=first.run.started.isoformat(timespec="seconds"),
        state="; ".join(source.run.state for source in sources),
        metrics={},
        settings=settings_of(first.config),
        sections=[section for section in sections if section.blocks],
        examples=examples,
    )


def _pairings(sources: Sequence[Source]) -> Iterator[tuple[Source, Pairing]]:
    """Each later run that was evaluated, beside the first."""
    first = sources[0].evaluated
    for source in sources[1:]:
        if first is not None and source.evaluated is not None:
            yield source, Pairing(first, source.evaluated)


def _metrics(sources: Sequence[Source]) -> Iterator[Block]:
    names = list(dict.fromkeys(name for source in sources for name in source.run.metrics))
    runs = [source.run.run_id for source in sources]
    for source, pairing in _pairings(sources):
        yield from _paired(sources[0], source, pairing)
    rows: list[list[Cell]] = [
        [name_of(name), *(_finite(source.run.metrics.get(name)) for source in sources)] for name in names
    ]
    if rows:
        yield Table(title="Metrics of each run", columns=["metric", *runs], rows=rows)


def _paired(first: Source, source: Source, pairing: Pairing) -> Iterator[Block]:
    runs = f"run {source.run.run_id} and run {first.run.run_id}"
    if not len(pairing):
        yield Paragraph(
            text=f"No example was evaluated in both {runs}; their figures are not of the same data.", tone="warn"
        )
        return
    names = pairing.other.metrics
    gain = pairing.gains.get(pairing.other.main_metric)
    if gain:
        certain = "more than chance" if gain.p_value < _CHANCE else "no more than chance may bring"
        yield Paragraph(
            text=f"{name_of(pairing.other.main_metric)} of run {source.run.run_id} is {number(abs(gain.value))} "
            f"{'higher' if gain.value >= 0 else 'lower'} than that of run {first.run.run_id} over the {len(pairing)} "
            f"examples that both have evaluated, which is {certain}: 95 % interval {number(gain.low)} to "
            f"{number(gain.high)}, p = {gain.p_value:.3f} by the paired bootstrap."
        )
    if test := pairing.mcnemar():
        gained, lost, p_value = test
        yield Paragraph(
            text=f"{gained} examples are right in run {source.run.run_id} alone, {lost} in run {first.run.run_id} "
            f"alone: p = {p_value:.3f} by McNemar's exact test."
        )
    yield Spans(
        title=f"Gain of run {source.run.run_id} over run {first.run.run_id}, with 95 % intervals",
        spans=[
            Span(
                name=name_of(name),
                value=finite(pairing.gains[name].value),
                low=finite(pairing.gains[name].low),
                high=finite(pairing.gains[name].high),
                examples=len(pairing),
                note=f"p = {pairing.gains[name].p_value:.3f}",
            )
            for name in names
            if name in pairing.gains
        ],
        reference=0.0,
        reference_label="no difference",
        note="By the paired bootstrap over the same examples. What lies across the line may be chance.",
    )


def _changed(sources: Sequence[Source], examples: list[Example]) -> Iterator[Block]:
    """Appends to `examples` those that it shows."""
    for source, pairing in _pairings(sources):
        if not len(pairing) or not answers_with_text(pairing.other):
            continue
        changed = pairing.changed
        counts = ", ".join(f"{len(pairs)} {name}" for name, pairs in changed.items())
        total = sum(map(len, changed.values()))
        yield Paragraph(
            text=f"{total} of {len(pairing)} answers of run {source.run.run_id} are other than those of run "
            f"{sources[0].run.run_id}: {counts}."
        )
        groups: dict[str, list[int]] = {}
        for name, pairs in changed.items():
            start = len(examples)
            examples += [pairing.example(pair, start + place) for place, pair in enumerate(pairs[:_SHOWN])]
            groups[name] = list(range(start, len(examples)))
        if total:
            yield ExampleList(
                title=f"Answers that changed in run {source.run.run_id}",
                metric=pairing.other.ranking_metric,
                groups=groups,
                previous_label=f"run {sources[0].run.run_id}",
            )


def _settings(sources: Sequence[Source]) -> Block:
    told = [{str(key): (value, default) for key, value, default in differing(source.config)} for source in sources]
    rows: list[list[Cell]] = []
    for key in dict.fromkeys(key for each in told for key in each):
        default = next(each[key][1] for each in told if key in each)
        values = [each[key][0] if key in each else default for each in told]
        if len(set(values)) > 1:
            rows.append([key, *values])
    if not rows:
        return Paragraph(text="All settings are the same.")
    return Table(title="Settings", columns=["key", *(source.run.run_id for source in sources)], rows=rows)


def _data(sources: Sequence[Source]) -> Block:
    facts: list[dict[str, Cell]] = []
    for source in sources:
        counts = read_counts(source.folder("examples"))
        made = source.made("examples")
        told: dict[str, Cell] = {"version of the examples": made.number if made else None}
        told["digest of the examples"] = made.digest if made else None
        if counts:
            told |= {"read": counts["read"], "refused": counts["refused"], **counts["splits"]}
        facts.append(told)
    rows: list[list[Cell]] = [
        [name, *(told.get(name) for told in facts)] for name in dict.fromkeys(name for told in facts for name in told)
    ]
    columns = ["what", *(source.run.run_id for source in sources)]
    return Table(title="Data", columns=columns, rows=rows, note="The same version is the same data.")


def _training(sources: Sequence[Source]) -> Iterator[Block]:
    epochs = {}
    for source in sources:
        folder = source.folder("model_run")
        if folder and (folder / FILE).exists():
            epochs[source.run.run_id] = json.loads((folder / FILE).read_text(encoding="utf-8"))["epochs"]
    names = dict.fromkeys(name for rows in epochs.values() for row in rows for name in row if is_metric(name))
    for name in names:
        lines = [
            Line(name=run_id, x=[row["epoch"] for row in rows], y=[row.get(name) for row in rows])
            for run_id, rows in epochs.items()
            if rows
        ]
        yield Curves(title=f"{name_of(name)} by epoch", x_label="epoch", lines=lines)


def _finite(value: float | None) -> float | None:
    return None if value is None else finite(value)
