"""The page on which traffic and training data stand side by side, and the same as JSON."""

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.config.config import Config
from pipeline.drift.comparison import Compared, compare_traffic
from pipeline.drift.settings import DriftSettings
from pipeline.drift.traffic import DriftError, Traffic, read_traffic
from pipeline.history.runs import read_runs
from pipeline.report.form import Bars, Block, Paragraph, Report, Section, Span, Spans, Table
from pipeline.report.source import Source
from pipeline.report.words import name_of, number
from pipeline.report.write import files_of, open_source, settings_of, write_files
from pipeline.run.output_folder import OutputFolder

_SHOWN = 15


class Drift(NamedTuple):
    """What came out: the page, and a sentence for each measure that is past its limit."""

    page: Path
    sentences: list[str]


def write_drift(config: Config, logs: Sequence[Path], run_id: str = "") -> Drift:
    """Compares request logs with the training data of a run.

    Args:
        config: says where the runs are, where the logs are if none is named, and what is allowed.
        logs: files, or folders of them; none: the folder of `serving.request_log`.
        run_id: whose model was served; "" for the newest that was pushed.

    Raises:
        DriftError: there are no logs with texts, or nothing to compare them with.
        ReportError: there is no such run, or the page cannot be written.
    """
    paths = list(logs) or _logs_of(config)
    with contextlib.ExitStack() as scratch:
        source = open_source(config, run_id or _pushed_run(config), scratch)
        traffic = read_traffic(paths, source.task, source.run.pushed_version)
        compared = compare_traffic(traffic, source, config.drift)
        report = make_drift(traffic, source, compared, config.drift)
        name = f"drift-{datetime.datetime.now():%Y%m%d-%H%M%S-%f}"[:-3]
        page = write_files(OutputFolder(config).reports / name, files_of(report))
    return Drift(page, [_sentence(one) for one in compared if one.drifted])


def _logs_of(config: Config) -> list[Path]:
    if not config.serving.request_log.folder:
        raise DriftError(
            "Drift is seen in request logs: name a file or a folder, or set serving.request_log.folder. Received: "
            "neither"
        )
    return [Path(config.serving.request_log.folder) / config.name]


def _pushed_run(config: Config) -> str:
    runs = read_runs(OutputFolder(config).metadata)
    pushed = next((run.run_id for run in runs if run.pushed_version and run.name == config.name), "")
    if not pushed:
        raise DriftError(
            f"Traffic is compared with the data of the run that pushed the model. Received: {config.output_dir}, where "
            f"no run has pushed {config.name}. Run it: seqline run"
        )
    return pushed


def make_drift(traffic: Traffic, source: Source, compared: Sequence[Compared], settings: DriftSettings) -> Report:
    """The page, with a section for each feature."""
    features = dict.fromkeys(one.feature for one in compared)
    sections = [Section(name="verdict", title="Verdict", blocks=list(_verdict(traffic, source, compared, settings)))]
    for place, feature in enumerate(features):
        of_feature = [one for one in compared if one.feature == feature]
        sections.append(Section(name=f"feature-{place}", title=name_of(feature), blocks=list(_of_feature(of_feature))))
    return Report(
        run_id=source.run.run_id,
        name=source.config.name,
        title=f"{source.config.name}: traffic beside training data",
        task=source.config.task,
        started=source.run.started.isoformat(timespec="seconds"),
        state=source.run.state,
        metrics={f"{one.feature}/{one.measure}": one.distance.value for one in compared},
        settings=settings_of(source.config),
        sections=sections,
        examples=[],
    )


def _verdict(
    traffic: Traffic, source: Source, compared: Sequence[Compared], settings: DriftSettings
) -> Iterator[Block]:
    drifted = [one for one in compared if one.drifted]
    when = f", {traffic.begin:%Y-%m-%d %H:%M} to {traffic.end:%Y-%m-%d %H:%M}" if traffic.begin and traffic.end else ""
    yield Paragraph(
        text=f"{traffic.requests} logged requests{when} beside the data of run {source.run.run_id}: "
        + (f"{len(drifted)} of {len(compared)} measures have drifted." if drifted else "nothing has drifted."),
        tone="bad" if drifted else "good",
    )
    for one in drifted:
        yield Paragraph(text=_sentence(one), tone="warn")
    few = min((one.texts for one in compared), default=0)
    if few < settings.min_texts:
        yield Paragraph(text=f"Of {few} texts nothing is concluded (drift.min_texts).", tone="soft")
    if traffic.other_versions:
        yield Paragraph(
            text=f"{traffic.other_versions} requests were answered by other versions; their answers are left out.",
            tone="soft",
        )
    for file in traffic.damaged:
        yield Paragraph(text=f"{file} ends in the middle of a record; what stands before it was read.", tone="warn")
    yield from _scores(traffic, source)


def _scores(traffic: Traffic, source: Source) -> Iterator[Block]:
    evaluated = source.evaluated
    outputs = [one.outputs for one in evaluated.predictions] if evaluated else []
    known = [float(np.max(one[name])) for one in outputs for name in ("score", "scores") if np.size(one.get(name, []))]
    if traffic.scores and known:
        yield Paragraph(
            text=f"Mean score of the answers: {number(float(np.mean(traffic.scores)))} in the traffic, "
            f"{number(float(np.mean(known)))} in the evaluation."
        )


def _of_feature(compared: Sequence[Compared]) -> Iterator[Block]:
    yield Spans(
        title="Distance of each measure; the line is where it would lie without drift",
        spans=[
            Span(
                name=one.measure,
                value=one.distance.value,
                low=one.distance.low,
                high=one.distance.high,
                examples=one.texts,
                note=f"{'>' if one.drifted else 'of'} {number(one.limit)}",
            )
            for one in compared
        ],
        note=f"Jensen-Shannon distance, 0 to 1, with its limit. The line spans 95 % of 200 draws of as many texts from "
        f"the {_known(compared[0])}.",
    )
    for one in compared:
        moved, known = one.distance.moved, _known(one)
        names = [str(one.names.get(key, key)) for key, _, _ in moved]
        totals = [sum(counts) for counts in zip(*(pair for _, *pair in moved), strict=True)]
        if len(moved) <= _SHOWN:
            yield Bars(
                title=f"{one.measure.capitalize()}: shares",
                groups=[known, "traffic"],
                names=names,
                counts=[[before, now] for _, before, now in moved],
            )
            continue
        yield Table(
            title=f"{one.measure.capitalize()} that moved most",
            columns=["what", f"share of {known}", "share of traffic"],
            rows=[
                [name, before / totals[0], now / totals[1]]
                for name, (_, before, now) in zip(names[:_SHOWN], moved, strict=False)
            ],
        )


def _known(one: Compared) -> str:
    return "evaluation" if one.measure == "answers" else "training data"


def _sentence(one: Compared) -> str:
    names = [str(one.names.get(key, key)) for key, _, _ in one.distance.moved[:3]]
    return (
        f"{name_of(one.feature)}, {one.measure}: {number(one.distance.value)} from the {_known(one)} over {one.texts} "
        f"texts; {number(one.limit)} is allowed (drift.{one.measure}), and up to {number(one.distance.high)} would be "
        f"chance. What moved most: {', '.join(names)}"
    )
