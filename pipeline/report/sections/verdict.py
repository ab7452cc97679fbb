"""Whether the model may be served, and why, in plain words."""

from collections.abc import Iterator

from components.evaluation.catalogue import METRICS
from pipeline.report.form import Block, Paragraph, Section
from pipeline.report.source import Source
from pipeline.report.words import name_of, number

_CHANCE = 0.05


def section(source: Source) -> Section:
    """What an analyst reads first."""
    blocks: list[Block] = [_outcome(source), *_bounds(source), *_compared(source)]
    blocks += [Paragraph(text=f"Warning from {warning}", tone="warn") for warning in source.run.warnings]
    return Section(name="verdict", title="Verdict", blocks=blocks)


def _outcome(source: Source) -> Paragraph:
    run = source.run
    if source.failure or run.state.startswith("failed"):
        where = f" in stage {run.state.removeprefix('failed in ')}" if run.state.startswith("failed") else ""
        why = f": {source.failure}" if source.failure else "; the log has the whole story"
        return Paragraph(text=f"Not pushed: the run failed{where}{why}", tone="bad")
    if run.pushed_version:
        return Paragraph(text=f"Pushed: the model is served as version {run.pushed_version}.", tone="good")
    if run.blessed is False:
        return Paragraph(text=f"Not pushed: {'; '.join(run.shortfalls) or 'the model was refused'}.", tone="bad")
    if run.servable is False:
        return Paragraph(text=f"Not pushed: the server could not serve it: {run.not_servable}", tone="bad")
    return Paragraph(text=f"Not pushed: the run is {run.state}.", tone="bad")


def _bounds(source: Source) -> Iterator[Paragraph]:
    """How far the metrics are from what was asked of them."""
    for name, bound in source.config.evaluation.thresholds.items():
        value = source.run.metrics.get(name)
        if value is None:
            continue
        for asked, word, margin in (
            (bound.min, "least", value - (bound.min or 0.0)),
            (bound.max, "most", (bound.max or 0.0) - value),
        ):
            if asked is not None:
                kept = "better than" if margin >= 0 else "short of"
                yield Paragraph(
                    text=f"{name_of(name)} is {number(value)}, {number(abs(margin))} {kept} the {number(asked)} that "
                    f"was asked at {word} (evaluation.thresholds).",
                    tone="plain" if margin >= 0 else "bad",
                )


def _compared(source: Source) -> Iterator[Paragraph]:
    evaluated = source.evaluated
    if evaluated is None:
        return
    name = evaluated.main_metric
    value = source.run.metrics.get(name)
    if value is not None:
        interval = evaluated.overall.get(name)
        ends = f", 95 % interval {number(interval.low)} to {number(interval.high)}" if interval else ""
        yield Paragraph(
            text=f"Over {len(evaluated.predictions)} examples of the split {source.config.evaluation.split} "
            f"{name_of(name)} is {number(value)}{ends}."
        )
    if name not in evaluated.gains:
        yield Paragraph(text="There is no blessed model of before to compare it with.", tone="soft")
        return
    gain = evaluated.gains[name]
    better = (gain.value < 0) == METRICS[name].lower_is_better
    if gain.value == 0:
        word = "exactly as good as"
    else:
        word = f"{number(abs(gain.value))} {'better' if better else 'worse'} than"
    chance = "more than chance" if gain.p_value < _CHANCE else "no more than chance may bring"
    before = f" (run {source.previous.run_id})" if source.previous else ""
    yield Paragraph(
        text=f"In {name_of(name)} it is {word} the last blessed model{before} on the same examples, which is {chance}: "
        f"95 % interval of the difference {number(gain.low)} to {number(gain.high)}, p = {gain.p_value:.3f} by the "
        "paired bootstrap.",
        tone="good" if better and gain.p_value < _CHANCE else "plain",
    )
