"""Every metric with its interval, over all examples and by slice."""

import math
from collections.abc import Iterator, Mapping

from components.evaluation.bootstrap import CONFIDENCE, Interval
from components.evaluation.catalogue import METRICS
from pipeline.report.evaluated import Evaluated
from pipeline.report.form import Block, Cell, Paragraph, Section, Span, Spans, Table
from pipeline.report.source import Source
from pipeline.report.words import SMALL_SLICE, finite, name_of, number

# The largest ones; more would take longer to draw than to read.
_MOST_SLICES = 40
_MOST_OF_CLASSES = 300
_HOW = (
    f"{CONFIDENCE:.0%} percentile intervals by the bootstrap over examples: where the figure would lie, had other "
    "examples of the same kind been drawn."
)


def section(source: Source) -> Section | None:
    """All figures of the judges."""
    if not source.run.metrics:
        return None
    evaluated = source.evaluated
    if evaluated is None:
        rows = [[name_of(name), finite(value)] for name, value in source.run.metrics.items()]
        table = Table(title="Metrics over all examples", columns=["metric", "value"], rows=rows)
        return Section(name="metrics", title="Metrics", blocks=[table])
    found = evaluated.overall
    blocks: list[Block] = [*_overall(source, evaluated, found), *_alike(evaluated, found), *_slices(evaluated, found)]
    return Section(name="metrics", title="Metrics", blocks=blocks)


def _overall(source: Source, evaluated: Evaluated, found: Mapping[str, Interval]) -> Iterator[Table]:
    rows: dict[bool, list[list[Cell]]] = {False: [], True: []}
    for name, value in source.run.metrics.items():
        interval, gain = found.get(name), evaluated.gains.get(name)
        row: list[Cell] = [name_of(name), finite(value)]
        row += [finite(interval.low), finite(interval.high)] if interval else [None, None]
        row += [_direction(name) if interval else ""]
        if evaluated.gains:
            row += (
                [finite(gain.value), finite(gain.low), finite(gain.high), finite(gain.p_value)] if gain else [None] * 4
            )
        rows[_is_of_class(name)].append(row)
    columns = ["metric", "value", "from", "to", "better is"]
    if evaluated.gains:
        columns += ["gain over the last blessed model", "gain from", "gain to", "p"]
    title = f"Metrics over all {len(evaluated.predictions)} examples of the split {source.config.evaluation.split}"
    yield Table(title=title, columns=columns, rows=rows[False], note=_HOW)
    if by_class := rows[True][:_MOST_OF_CLASSES]:
        count = f"{len(by_class)} of {len(rows[True])}" if len(by_class) < len(rows[True]) else f"{len(by_class)}"
        folded = len(by_class) > SMALL_SLICE
        yield Table(title=f"Metrics of single classes ({count})", columns=columns, rows=by_class, folded=folded)


def _is_of_class(name: str) -> bool:
    return "/" in name


def _direction(name: str) -> str:
    entry = METRICS.get(name)
    if entry is None:
        return "higher" if _is_of_class(name) else ""
    return "lower" if entry.lower_is_better else "higher"


def _alike(evaluated: Evaluated, found: Mapping[str, Interval]) -> Iterator[Paragraph]:
    flat = [name for name, one in found.items() if one.low == one.high and not _is_of_class(name)]
    if flat and evaluated.predictions:
        least = 3 / len(evaluated.predictions)
        yield Paragraph(
            text=f"No width at {', '.join(map(name_of, flat))}: all examples were alike in it. By the rule of three a "
            f"share may still be off by {min(1.0, least):.2g}.",
            tone="soft",
        )


def _slices(evaluated: Evaluated, overall: Mapping[str, Interval]) -> Iterator[Block]:
    largest = sorted(evaluated.slices, key=lambda name: -len(evaluated.slices[name]))[:_MOST_SLICES]
    if not largest:
        return
    names = sorted(largest, key=_order)
    found = {name: evaluated.intervals(evaluated.slices[name]) for name in names}
    metric = evaluated.ranking_metric
    spans = []
    for name in names:
        interval, size = found[name].get(metric), len(evaluated.slices[name])
        if interval:
            spans.append(
                Span(
                    name=name,
                    value=finite(interval.value),
                    low=finite(interval.low),
                    high=finite(interval.high),
                    examples=size,
                    note=f"few: {size} examples" if size < SMALL_SLICE else "",
                )
            )
    yield from _worst(metric, spans)
    yield Spans(
        title=f"{name_of(metric)} by slice ({_direction(metric)} is better)",
        spans=spans,
        reference=finite(overall[metric].value) if metric in overall else None,
        reference_label="all examples",
        note=f"Slices of fewer than {SMALL_SLICE} examples are marked; they say little. {_HOW}",
    )
    yield Table(
        title="All metrics by slice",
        columns=["slice", "examples", *map(name_of, evaluated.metrics)],
        rows=[
            [name, len(evaluated.slices[name]), *(_with_ends(found[name].get(each)) for each in evaluated.metrics)]
            for name in names
        ],
        folded=True,
    )


def _worst(metric: str, spans: list[Span]) -> Iterator[Paragraph]:
    """The worst slice of each column, among those that say something."""
    sign = -1.0 if METRICS[metric].lower_is_better else 1.0
    for column in dict.fromkeys(span.name.partition("=")[0] for span in spans):
        told = [span for span in spans if span.name.startswith(f"{column}=") and span.value is not None]
        large = [span for span in told if not span.note] or told
        values = [span.value or 0.0 for span in large]
        # Sums in another order differ in the last digit.
        if len(large) > 1 and not math.isclose(min(values), max(values)):
            worst = min(large, key=lambda span: sign * (span.value or 0.0))
            yield Paragraph(
                text=f"Worst by {column}: {worst.name.partition('=')[2]}, {name_of(metric)} {number(worst.value)} "
                f"({number(worst.low)} to {number(worst.high)}) over {worst.examples} examples."
            )


def _with_ends(interval: Interval | None) -> str:
    if interval is None or finite(interval.value) is None:
        return "–"
    return f"{number(interval.value)} ({number(interval.low)} to {number(interval.high)})"


def _order(name: str) -> tuple[str, int, str]:
    column, _, value = name.partition("=")
    start = value.rstrip("+").partition("-")[0]
    return (column, int(start) if start.isdecimal() else 0, value)
