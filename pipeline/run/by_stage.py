"""A run that an orchestrator launches stage by stage, one process for each: compiled once into a file."""

import contextlib
import dataclasses
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pydantic
from rich.console import Console

from pipeline.config.config import Config
from pipeline.errors import ConfigError, StageFailed
from pipeline.history import runs
from pipeline.run.display import RunDisplay
from pipeline.run.failures import failure_message
from pipeline.run.lock import stage_lock
from pipeline.run.log import output_to
from pipeline.run.output_folder import OutputFolder
from pipeline.run.run import Outcome, check_inputs, compile_run, log_trace, new_run_id, report_run

_RUN_ID = re.compile(r"\w[\w.:+=~@-]{0,199}", re.ASCII)


class CompiledRun(pydantic.BaseModel):
    """What stands in the file.

    Attributes:
        run_id: name of the run.
        stages: for each stage in order, the stages that must have run before it.
        config: of the run; its output folder is absolute.
        overrides: of the command line, for the next command that the user is told.
        pipeline: TFX's intermediate representation.
    """

    run_id: str
    stages: dict[str, list[str]]
    config: Config
    overrides: list[str]
    pipeline: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class StageRun:
    """A stage that has run.

    Attributes:
        config: of the run.
        overrides: of the command line that compiled it.
        outcome: of the run so far.
        says_how_it_ended: whether the run ends here: the stage failed, or it is the one that pushes.
    """

    config: Config
    overrides: list[str]
    outcome: Outcome
    says_how_it_ended: bool


def compile_to(file: Path, config: Config, config_file: Path, overrides: Sequence[str], run_id: str) -> list[str]:
    """Compiles a run into a file; returns its stages.

    Args:
        file: to write.
        config: what to run.
        config_file: where it was read, for the history.
        overrides: of the command line.
        run_id: name of the run; "" for the time.

    Raises:
        SeqlineError: data that cannot work, a name of a run that is taken or no name, a file that cannot be written.
    """
    run_id = run_id or new_run_id()
    _check_run_id(run_id, OutputFolder(config))
    check_inputs(config)
    with tempfile.TemporaryDirectory(prefix="seqline-compile-") as scratch, output_to(Path(scratch) / "log"):
        from google.protobuf import json_format

        from pipeline.orchestrators.compiled import upstream_stages

        compiled = compile_run(config, config_file, run_id, overrides)
        written = CompiledRun(
            run_id=run_id,
            stages=upstream_stages(compiled),
            # A stage may run elsewhere; what it makes must stand beside what the others have made.
            config=config.model_copy(update={"output_dir": str(OutputFolder(config).root)}),
            overrides=list(overrides),
            pipeline=json_format.MessageToDict(compiled),
        )
    # Some rules of the configuration ask which keys were given.
    _write(file, written.model_dump_json(indent=1, exclude_unset=True))
    return list(written.stages)


def run_stage(file: Path, stage: str, on_wait: Callable[[str], None] | None = None) -> StageRun:
    """Runs one stage of a compiled run.

    Args:
        file: from `compile_to`.
        stage: its id.
        on_wait: is told who else is at work at the stage, or in the folder, which is then waited for.

    Raises:
        SeqlineError: the file is none, there is no such stage, one before it has not run, the folder is in use.
    """
    compiled = _read(file)
    folder = OutputFolder(compiled.config)
    if stage not in compiled.stages:
        raise ConfigError(f"There is no stage {stage} in {file}. Its stages: {', '.join(compiled.stages)}")
    log = folder.log(compiled.run_id)
    folder.make_reachable()
    with stage_lock(folder.root, stage, on_wait):
        with output_to(log) as stream, RunDisplay(Console(file=stream)) as display:
            display.show_work("Loading TFX")
            failure = _launch(compiled, stage, display, folder)
            run = runs.read_run(folder.metadata, compiled.run_id)
            ends = run is not None and (failure is not None or f"{stage}/pushed_model" in run.artifacts)
            why = failure_message(failure) if failure else ""
            report = report_run(compiled.config, compiled.run_id, why, display) if ends else None
    if run is None:
        raise failure or RuntimeError(f"Run {compiled.run_id} is not in {folder.metadata}")
    return StageRun(compiled.config, compiled.overrides, Outcome(run, log, failure, report), ends)


def _launch(compiled: CompiledRun, stage: str, display: RunDisplay, folder: OutputFolder) -> StageFailed | None:
    from google.protobuf import json_format
    from tfx.proto.orchestration import pipeline_pb2

    from pipeline.orchestrators import node
    from pipeline.stages import STILL_TRUE

    display.expect(list(compiled.stages))
    pipeline = json_format.ParseDict(compiled.pipeline, pipeline_pb2.Pipeline())
    try:
        node.run_stage(pipeline, stage, display.on_stage, STILL_TRUE)
    except StageFailed as failure:
        log_trace(folder.log(compiled.run_id), failure)
        return failure
    return None


def _check_run_id(run_id: str, folder: OutputFolder) -> None:
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigError(
            "--run-id must be letters, digits and any of _ . : + = ~ @ -, at most 200, beginning with a letter or a "
            f"digit: a log file is named after it. Received: {run_id}"
        )
    if runs.read_run(folder.metadata, run_id) is not None:
        raise ConfigError(
            f"--run-id must be new. Received: {run_id}, a run that has begun in {folder.root}. Choose another, or go "
            "on with the file that it was compiled to: seqline node OUT STAGE"
        )


def _write(file: Path, text: str) -> None:
    partial = file.parent / f".{file.name}.{os.getpid()}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise ConfigError(f"{file} cannot be written: {error.strerror}; name another file") from error


def _read(file: Path) -> CompiledRun:
    try:
        text = file.read_text(encoding="utf-8")
        return CompiledRun.model_validate_json(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); write it: seqline compile -c FILE {file}") from error
    except pydantic.ValidationError as error:
        raise ConfigError(
            f"{file} is not what seqline compile of this version wrote; write it anew: seqline compile -c FILE {file}"
        ) from error
