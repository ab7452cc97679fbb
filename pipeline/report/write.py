"""Makes the report of a run: `report.html`, `report.json` and `model_card.md`, each whole or not at all."""

import contextlib
import json
import math
import os
from pathlib import Path
from typing import Any

from models.errors import SeqlineError
from pipeline.config.config import Config
from pipeline.history import runs
from pipeline.report.card import render_card
from pipeline.report.catalogue import SECTIONS, make_section
from pipeline.report.form import Report
from pipeline.report.lineage import Lineage, read_lineage
from pipeline.report.page import render_page
from pipeline.report.source import Source
from pipeline.run.failures import user_message
from pipeline.run.output_folder import OutputFolder

PAGE, CONTENT, CARD = "report.html", "report.json", "model_card.md"


class ReportError(SeqlineError):
    """There is no such run to report."""


def write_report(config: Config, run_id: str, failure: str = "") -> Path:
    """Writes the three files; returns the page.

    Args:
        config: says where the run is; its own settings come from ML Metadata.
        run_id: of the run; "" for the newest.
        failure: why it failed, in words; "" for what ML Metadata knows.

    Raises:
        ReportError: there is no such run.
    """
    with contextlib.ExitStack() as scratch:
        source = open_source(config, run_id, scratch, failure)
        report = make_report(source)
        folder = OutputFolder(config).report(source.run.run_id)
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / CONTENT, report.model_dump_json(indent=1))
        write_file(folder / CARD, render_card(report, source))
        write_file(folder / PAGE, render_page(report))
    return folder / PAGE


def open_source(config: Config, run_id: str, scratch: contextlib.ExitStack, failure: str = "") -> Source:
    """What is known of a run; arguments and errors as of `write_report`, and what was copied goes with `scratch`."""
    database = OutputFolder(config).metadata
    history = {run.run_id: run for run in runs.read_runs(database)}
    if not history:
        raise ReportError(f"There are no runs in {database.parent} yet. Start one: seqline run")
    run = history.get(run_id) if run_id else next(iter(history.values()))
    if run is None:
        raise ReportError(
            f"--run must be a run of {database.parent}. Received: {run_id}. Its runs, newest first: "
            f"{', '.join(list(history)[:10])}"
        )
    lineage = read_lineage(database, run.run_id)
    own = Config.model_validate(lineage.settings) if lineage.settings is not None else config
    why = failure or _failure(lineage, OutputFolder(config).report(run.run_id))
    return Source(run, own, lineage, history.get(lineage.compared_with), why, scratch)


def _failure(lineage: Lineage, folder: Path) -> str:
    """Why a run failed: what TFX recorded, or what the report said that was made when it happened."""
    if lineage.failure:
        return user_message(Exception(lineage.failure)) or lineage.failure
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads((folder / CONTENT).read_text(encoding="utf-8")).get("failure", ""))
    return ""


def make_report(source: Source) -> Report:
    """All sections that have something to say."""
    run, evaluated = source.run, source.evaluated
    sections = [made for name in SECTIONS if (made := make_section(name, source))]
    return Report(
        run_id=run.run_id,
        name=run.name,
        title=f"{run.name}: report of a run",
        task=source.config.task,
        started=run.started.isoformat(timespec="seconds"),
        state=run.state,
        failure=source.failure,
        metrics={name: value if math.isfinite(value) else None for name, value in run.metrics.items()},
        settings=settings_of(source.config),
        sections=sections,
        shared_outputs=evaluated.shared_outputs if evaluated else {},
        examples=evaluated.examples if evaluated else [],
    )


def settings_of(config: Config) -> dict[str, Any]:
    """The configuration as it was given."""
    return config.model_dump(mode="json", exclude_unset=True)


def write_file(file: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8", errors="backslashreplace")
    os.replace(partial, file)
