"""The page of all runs of an output folder, each with a link to its report (`seqline runs --html`)."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.history.runs import Run
from pipeline.report.form import Block, Cell, Curves, Line, Report, Section, Table
from pipeline.report.page import render_page
from pipeline.report.words import finite, name_of
from pipeline.report.write import PAGE, write_files
from pipeline.run.output_folder import OutputFolder

INDEX = "index.html"
_COLUMNS = ["run", "state", "seconds", "blessed", "pushed", "warnings"]
# More columns are for the reports.
_MOST_METRICS = 6


def write_index(folder: OutputFolder, history: Sequence[Run], main_metrics: Mapping[str, str]) -> Path:
    """Writes the page beside the reports; returns it.

    Args:
        folder: of the runs.
        history: newest first.
        main_metrics: by a model's name the metric that is drawn; its first one where the name is not there.

    Raises:
        ReportError: the folder cannot be written, or the disk is full.
    """
    report = make_index(folder, history, main_metrics)
    write_files(folder.reports, {INDEX: render_page(report)})
    return folder.reports / INDEX


def make_index(folder: OutputFolder, history: Sequence[Run], main_metrics: Mapping[str, str]) -> Report:
    """A section for each model; arguments as of `write_index`."""
    names = list(dict.fromkeys(run.name for run in history))
    sections = []
    for place, name in enumerate(names):
        runs = [run for run in history if run.name == name]
        blocks = [*_course(runs, main_metrics.get(name, "")), _table(folder, runs), *_reasons(runs)]
        sections.append(Section(name=f"model-{place}", title=name, blocks=blocks))
    return Report(
        run_id="",
        name=", ".join(names),
        title=f"{len(history)} runs in {folder.root.name}",
        task="",
        started="",
        state="",
        metrics={},
        settings={},
        sections=sections,
        examples=[],
    )


def _metrics_of(runs: Sequence[Run]) -> list[str]:
    """Names, without those of single classes."""
    return [name for name in dict.fromkeys(name for run in runs for name in run.metrics) if "/" not in name]


def _course(runs: Sequence[Run], metric: str) -> Iterator[Block]:
    metric = metric or next((name for name in _metrics_of(runs) if name != "example_count"), "")
    measured = [run for run in reversed(runs) if metric in run.metrics]
    if len(measured) < 2:
        return
    line = Line(
        name=name_of(metric),
        x=[float(number) for number in range(1, len(measured) + 1)],
        y=[run.metrics[metric] for run in measured],
    )
    label = f"runs with this metric, {measured[0].run_id} to {measured[-1].run_id}"
    yield Curves(title=f"{name_of(metric)} by run", x_label=label, lines=[line])


def _table(folder: OutputFolder, runs: Sequence[Run]) -> Table:
    metrics = _metrics_of(runs)[:_MOST_METRICS]
    rows: list[list[Cell]] = [
        [
            run.run_id,
            run.state,
            round(run.seconds),
            "" if run.blessed is None else "yes" if run.blessed else "no",
            run.pushed_version or "",
            len(run.warnings),
            *(finite(run.metrics[name]) if name in run.metrics else None for name in metrics),
        ]
        for run in runs
    ]
    # A name may have a colon, which would make it an address.
    links = [f"./{run.run_id}/{PAGE}" if (folder.report(run.run_id) / PAGE).exists() else "" for run in runs]
    return Table(title="Runs, newest first", columns=[*_COLUMNS, *map(name_of, metrics)], rows=rows, links=links)


def _reasons(runs: Sequence[Run]) -> Iterator[Block]:
    rows: list[list[Cell]] = [
        [run.run_id, reason] for run in runs for reason in (*run.shortfalls, run.not_servable) if reason
    ]
    if rows:
        yield Table(title="Why models were not pushed", columns=["run", "reason"], rows=rows)
