"""The history of runs as a table for people."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from pipeline.history.runs import Run

# The table must fit a terminal; `--json` has all of them.
METRICS_SHOWN = 3
_BLOCKS = "▁▂▃▄▅▆▇█"


def shown(value: float) -> str:
    """A figure of the data as people read it: a number of things, or a share in percent."""
    return f"{value:.0f}" if isinstance(value, int) else f"{value:.2%}"


def sparkline(values: Sequence[float]) -> str:
    """Values as blocks of eight heights, from the least to the greatest."""
    low, high = min(values), max(values)
    steps = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * steps) if high > low else 0] for value in values)


def course(history: Sequence[Run], name: str, metric: str) -> str:
    """How a metric went from the oldest to the newest run of a model, in one line; "" for fewer than two of them.

    Args:
        history: newest first.
        name: the model's.
        metric: key of `Run.metrics`.
    """
    values = [run.metrics[metric] for run in reversed(history) if run.name == name and metric in run.metrics]
    values = [value for value in values if math.isfinite(value)]
    if len(values) < 2:
        return ""
    ends = f"{min(values):.4g} to {max(values):.4g}, at last {values[-1]:.4g}"
    return f"{metric} of {name}, oldest to newest of {len(values)} runs: {sparkline(values)}  {ends}"


def runs_table(history: Sequence[Run]) -> Table:
    """One row for each run; the warnings are counted."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("run", "name", "config", "state", "seconds", "blessed", "pushed", "warnings", "metrics", "data"):
        table.add_column(
            heading,
            no_wrap=heading in ("run", "seconds", "pushed", "warnings"),
            overflow="fold",
            min_width=len(heading),
        )
    for run in history:
        metrics = [f"{name} {value:.4g}" for name, value in run.metrics.items() if name != "example_count"]
        table.add_row(
            run.run_id,
            run.name,
            f"{Path(run.config_file).stem} {run.config_hash}",
            run.state,
            f"{run.seconds:.0f}",
            "" if run.blessed is None else "yes" if run.blessed else "no",
            run.pushed_version or "",
            str(len(run.warnings) or ""),
            ", ".join(metrics[:METRICS_SHOWN]),
            ", ".join(f"{name} {shown(value)}" for name, value in run.data.items() if value),
        )
    return table
