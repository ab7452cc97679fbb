"""Makes the report of a run: `report.html`, `report.json` and `model_card.md`, each whole or not at all."""

import contextlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic

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
    """There is no such run to report, or no place to write to."""


def write_report(config: Config, run_id: str, failure: str = "") -> Path:
    """Writes the three files; returns the page.

    Args:
        config: says where the run is; its own settings come from ML Metadata.
        run_id: of the run; "" for the newest.
        failure: why it failed, in words; "" for what ML Metadata knows.

    Raises:
        ReportError: there is no such run, it is of another version, or its folder cannot be written.
    """
    with contextlib.ExitStack() as scratch:
        source = open_source(config, run_id, scratch, failure)
        report = make_report(source)
        folder = OutputFolder(config).report(source.run.run_id)
        return write_files(folder, {CARD: render_card(report, source), **files_of(report)})


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
    # A stage that failed and was launched again is no failure of the run.
    failed = run.state.startswith("failed")
    why = failure or (_failure(lineage, OutputFolder(config).report(run.run_id)) if failed else "")
    return Source(run, _own_config(lineage, config, run), lineage, history.get(lineage.compared_with), why, scratch)


def _own_config(lineage: Lineage, config: Config, run: runs.Run) -> Config:
    if lineage.settings is None:
        return config
    try:
        return Config.model_validate(lineage.settings)
    except pydantic.ValidationError as error:
        [first, *_] = error.errors()
        raise ReportError(
            f"The settings of a run must be those of this version. Received: run {run.run_id}, "
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}. Report it with the version that made it"
        ) from error


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


def files_of(report: Report) -> dict[str, str]:
    """The texts of the JSON and of the page, by file name."""
    return {CONTENT: report.model_dump_json(indent=1), PAGE: render_page(report)}


def write_files(folder: Path, texts: Mapping[str, str]) -> Path:
    """Writes files, each whole or not at all; returns the page.

    Raises:
        ReportError: the folder cannot be written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            _write_file(folder / name, text)
    except OSError as error:
        raise ReportError(
            f"Reports are written to {folder}, which must be possible. Received: {error.strerror}. Free some space or "
            "change the folder's rights, and then: seqline report"
        ) from error
    return folder / PAGE


def _write_file(file: Path, text: str) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(partial, file)
    finally:
        # Nothing of it may stay where the disk is full or the program is ended.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
