"""One run of the pipeline: lock, log file, stages, results."""

import contextlib
import dataclasses
import datetime
import json
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.errors import StageFailed
from pipeline.history import runs
from pipeline.orchestrators.events import StageEvent, State
from pipeline.run.display import RunDisplay
from pipeline.run.failures import failure_message, gist, user_message
from pipeline.run.lock import run_lock
from pipeline.run.log import output_to
from pipeline.run.machine import this_machine
from pipeline.run.output_folder import OutputFolder

if TYPE_CHECKING:
    # Importing TFX takes seconds, and `seqline --help` should not.
    from tfx.proto.orchestration import pipeline_pb2


REPORT = "Report"
_INTERRUPTED = "it was interrupted; the same command goes on from there"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run led to.

    Attributes:
        run: as ML Metadata has it.
        log: the log file.
        failure: the stage that failed, if one did.
        report: the page of the run; None where it could not be made.
    """

    run: runs.Run
    log: Path
    failure: StageFailed | None = None
    report: Path | None = None

    @property
    def pushed(self) -> bool:
        """Whether the model stands where a server finds it."""
        return self.failure is None and self.run.pushed_version is not None


def run_pipeline(config: Config, config_file: Path, overrides: Sequence[str] = ()) -> Outcome:
    """Runs the stages that the cache cannot answer for, and reports what came out, also where one failed.

    Args:
        config: what to run.
        config_file: where it was read, for the history.
        overrides: of the command line, for the history.

    Raises:
        SeqlineError: before the first stage, for data that cannot work or an output folder in use.
    """
    check_inputs(config)
    folder = OutputFolder(config)
    folder.make_reachable()
    with run_lock(folder.root):
        run_id = new_run_id()
        log = folder.log(run_id)
        with output_to(log) as stream, RunDisplay(Console(file=stream)) as display:
            display.show_work("Loading TFX")
            compiled = compile_run(config, config_file, run_id, overrides)
            try:
                failure = _run_stages(compiled, folder.log(run_id), display)
            except KeyboardInterrupt:
                # A second one ends the report too.
                report_run(config, run_id, _INTERRUPTED, display)
                raise
            report = report_run(config, run_id, failure_message(failure) if failure else "", display)
        run = runs.read_run(folder.metadata, run_id)
    if run is None:
        raise failure or RuntimeError(f"Run {run_id} is not in {folder.metadata}")
    return Outcome(run, log, failure, report)


def plan_pipeline(config: Config) -> dict[str, bool]:
    """For each stage, whether it would run (else it comes from the cache)."""
    check_inputs(config)
    with tempfile.TemporaryDirectory(prefix="seqline-plan-") as scratch, output_to(Path(scratch) / "log"):
        from pipeline.orchestrators import plan
        from pipeline.stages import STILL_TRUE

        return plan.plan(compile_run(config, Path(), new_run_id()), STILL_TRUE)


def check_inputs(config: Config) -> None:
    """Looks at what a run reads, before it starts.

    Raises:
        DataError: data files, or lists of names, that are not there, do not fit the task, or cannot be read.
        EvaluationError: another model that the review or the training needs is not there, or does not fit.
    """
    # Brings in the readers of every file format.
    from components.example_gen.formats import sections_for
    from components.example_gen.input_files import input_files
    from components.example_gen.reading import check_beginnings
    from components.gazetteers import read_names
    from components.pushed_vectors import find_vectors
    from components.review.catalogue import REVIEWS
    from pipeline.run.start import find_start

    task = TASKS[config.task]
    sections = {name: getattr(config, name) for name in sections_for(task.features)}
    check_beginnings(input_files(config.data, config.features), config.features, config.data, sections)
    read_names(config.labeling.gazetteers)
    find_vectors(config.run_settings())
    find_start(config)
    if task.review:
        REVIEWS[task.review].find_judge(getattr(config, task.review), config.run_settings())


def new_run_id() -> str:
    """The local time; runs of one folder never start in the same millisecond, for they hold its lock."""
    return datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]


def compile_run(
    config: Config, config_file: Path, run_id: str, overrides: Sequence[str] = ()
) -> "pipeline_pb2.Pipeline":
    """Compiles the pipeline to run once; here it is settled which data, which code and which recognizer it is about.

    Args:
        config: what to run.
        config_file: where it was read, for the history.
        run_id: name of the run.
        overrides: of the command line, for the history.
    """
    from pipeline.orchestrators.compiled import annotate, compile_pipeline, stage_ids
    from pipeline.stages import build_pipeline

    compiled = compile_pipeline(build_pipeline(config), run_id)
    annotate(
        compiled,
        {
            runs.NOTE_NAME: config.name,
            runs.NOTE_CONFIG_FILE: str(config_file),
            runs.NOTE_CONFIG_HASH: config.fingerprint(),
            runs.NOTE_STAGES: json.dumps(stage_ids(compiled)),
            # Some rules of the configuration ask which keys were given.
            runs.NOTE_SETTINGS: config.model_dump_json(exclude_unset=True),
            runs.NOTE_OVERRIDES: json.dumps(list(overrides)),
            runs.NOTE_MACHINE: json.dumps(this_machine()),
        },
    )
    return compiled


def _run_stages(compiled: "pipeline_pb2.Pipeline", log: Path, display: RunDisplay) -> StageFailed | None:
    from pipeline.orchestrators import local
    from pipeline.orchestrators.compiled import stage_ids
    from pipeline.stages import STILL_TRUE

    display.expect([*stage_ids(compiled), REPORT])
    try:
        local.run(compiled, display.on_stage, STILL_TRUE)
    except StageFailed as failure:
        log_trace(log, failure)
        return failure
    return None


def report_run(config: Config, run_id: str, failure: str, display: RunDisplay) -> Path | None:
    """The last stage: it looks at what ML Metadata has of all others, so it is none of TFX's, which end at a failure.

    A report that cannot be made changes nothing about the run; the log then says why.

    Args:
        config: of the run.
        run_id: its name.
        failure: why it ended before its end, in words; "" where it did not.
        display: where the stage shows.
    """
    from pipeline.report.write import write_report

    folder, started = OutputFolder(config), time.monotonic()
    display.on_stage(StageEvent(REPORT, State.STARTED))
    try:
        page = write_report(config, run_id, failure)
    except Exception as error:
        log_trace(folder.log(run_id), error)
        display.on_warning(
            f"the run is as it is, but its report could not be made: {user_message(error) or gist(error)}"
        )
        display.on_stage(StageEvent(REPORT, State.FAILED, time.monotonic() - started))
        return None
    display.on_stage(StageEvent(REPORT, State.DONE, time.monotonic() - started))
    return page


def log_trace(log: Path, failure: Exception) -> None:
    """The user sees one sentence and the name of this file."""
    # The disk may be full, which may be the very failure.
    with contextlib.suppress(OSError), open(log, "a", encoding="utf-8") as file:
        traceback.print_exception(failure, file=file)
