"""The command line `seqline`.

Exit codes, of `seqline node` for its one stage:
    0: done.
    1: a stage failed for a reason inside (a bug, TFX); `doctor` found something that keeps a run from working.
    2: bad input: command line, configuration, data, port in use, output folder locked, disk full.
    3: the model fell short and was not pushed (`node`: of the stage that pushes; a judge that is not content has done
        its work).
    130: interrupted by Ctrl-C.
    143: ended by SIGTERM.
"""

import json
import os
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
import typer.core
from rich.console import Console
from rich.table import Table

from models.errors import SeqlineError
from pipeline.config import config as configuration
from pipeline.config.remarks import slow_on_gpu
from pipeline.deploy.targets import Target, deploy_to
from pipeline.errors import ConfigError, StageFailed
from pipeline.run.failures import gist, is_disk_full
from pipeline.run.log import output_to
from pipeline.run.run import Outcome, check_inputs, plan_pipeline, run_pipeline
from pipeline.run.summary import (
    BAD_INPUT,
    BUG,
    INTERRUPTED,
    NOT_BLESSED,
    TERMINATED,
    print_error,
    print_outcome,
    print_warning,
)
from pipeline.serve.any_options import AnyOptions
from pipeline.serve.options import options_help, parse_options
from pipeline.serve.serve import Engine
from pipeline.serve.serve import serve as serve_pushed
from serving.errors import ServingError


class _Terminated(KeyboardInterrupt):
    """SIGTERM: ends what is going on as Ctrl-C does, so that the servers that were started end too."""


class _Group(typer.core.TyperGroup):
    """Turns the errors that are meant for the user into one line each and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (SeqlineError, ServingError) as error:
            print_error(Console(stderr=True), str(error))
            raise typer.Exit(BAD_INPUT) from error
        except StageFailed as error:
            # So early that ML Metadata holds nothing of the run.
            print_error(Console(stderr=True), f"{error.stage}: {gist(error)}")
            raise typer.Exit(BAD_INPUT if is_disk_full(error) else BUG) from error
        except KeyboardInterrupt as error:
            print_error(Console(stderr=True), "interrupted; the same command goes on from here")
            raise typer.Exit(TERMINATED if isinstance(error, _Terminated) else INTERRUPTED) from error


app = typer.Typer(
    cls=_Group, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich"
)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")]
Overrides = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, as in training.epochs=3; repeatable."),
]
DEFAULT_CONFIG = Path("pipeline_config.yaml")


def main() -> None:
    """Entry point of the program."""
    signal.signal(signal.SIGTERM, _terminate)
    app(prog_name="seqline")


def _terminate(number: int, frame: FrameType | None) -> None:
    # A second one ends the program at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise _Terminated


@app.callback()
def _describe() -> None:
    """Raw sequences in, a model behind a TensorFlow Serving endpoint out."""


@app.command()
def run(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006  # typer reads it
    approved: Annotated[
        list[str],
        typer.Option(
            "--approve", metavar="RULE", help="Let records pass that break this rule of data.gate; repeatable."
        ),
    ] = [],  # noqa: B006
) -> None:
    """Run the pipeline; what has not changed since the last run comes from the cache."""
    _run(config, [*overrides, *configuration.approvals(approved)])


@app.command(name="compile")
def compile_(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    run_id: Annotated[str, typer.Option(metavar="ID", help="Name of the run; the time if left out.")] = "",
) -> None:
    """Write one run for an orchestrator, which then runs each of its stages with `seqline node`.

    Data, code and recognizer are those of this moment, so compile once for each run. OUT is JSON: `stages` holds, for
    each stage in order, the stages that must have run before it. Relative paths of the configuration stay relative to
    the folder in which the stages are run.
    """
    from pipeline.run.by_stage import compile_to

    settings = configuration.load(config, overrides)
    stages = compile_to(out, settings, config, overrides, run_id)
    _say("\n".join(stages))


@app.command()
def node(
    file: Annotated[Path, typer.Argument(metavar="OUT", help="What `seqline compile` wrote.")],
    stage: Annotated[str, typer.Argument(help="Which stage.")],
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait while another process has the stage or the folder.")
    ] = False,
) -> None:
    """Run one stage of a compiled run; the stages before it must have run."""
    from pipeline.run.by_stage import run_stage

    ran = run_stage(file, stage, _say if wait else None)
    if ran.says_how_it_ended and (code := print_outcome(Console(), ran.config, ran.outcome, ran.overrides)):
        raise typer.Exit(code)


@app.command()
def deploy(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the orchestrator looks: Airflow's DAGs.")],
    to: Annotated[Target, typer.Option(help="Which orchestrator.")] = Target.AIRFLOW,
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
) -> None:
    """Hand the line over to an orchestrator, which then compiles each run and runs it stage by stage.

    Relative paths of the configuration are relative to the folder in which this command is given.
    """
    for line in deploy_to(to, folder, configuration.load(config, overrides), config, overrides):
        _say(line)


@app.command()
def demo(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = []) -> None:  # noqa: B006
    """Run the pipeline, serve what it pushed, ask it three questions over gRPC, and stop the server."""
    from pipeline.serve.demo import ask_pushed_model

    settings, outcome, code = _run(config, overrides, may_fall_short=True)
    if not outcome.pushed:
        raise typer.Exit(code)
    ask_pushed_model(settings, config, overrides, outcome)


@app.command()
def plan(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = []) -> None:  # noqa: B006
    """Show the stages and which of them would run; run nothing."""
    settings = configuration.load(config, overrides)
    for name, figure in settings.model.figures(settings.audio).items():
        _say(f"{name:<20} {figure}")
    for stage, runs_again in plan_pipeline(settings).items():
        _say(f"{stage:<20} {'would run' if runs_again else 'cached'}")


@app.command()
def validate(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    seconds: Annotated[
        float, typer.Option(min=0, metavar="N", help="How long to read the data; 0: their beginnings only.")
    ] = 10.0,
) -> None:
    """Check the configuration, its data as a run would judge them, and that the recognizer of clips fits."""
    from pipeline.run.examine import examine_data

    settings = configuration.load(config, overrides)
    check_inputs(settings)
    if seconds:
        examined = examine_data(settings, seconds)
        _say("\n".join(examined.read))
        for warning in examined.warnings:
            print_warning(Console(), warning)
    _say(f"{config} is valid: {settings.name}, {settings.task} with {settings.model.architecture}")
    for remark in slow_on_gpu(settings):
        _say(f"warning: {remark}")


@app.command()
def schema(
    file: Annotated[Path | None, typer.Argument(help="Where to write; the terminal if left out.")] = None,
) -> None:
    """Write the JSON schema of the configuration, with which editors check it, or (FILE.md) its reference to read."""
    from pipeline.config.reference import reference_text
    from pipeline.config.schema import schema_text

    if file is None:
        typer.echo(schema_text(), nl=False)
        return
    text = reference_text() if file.suffix == ".md" else schema_text()
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}; name another file") from error
    _say(f"Wrote {file}")


@app.command()
def protos(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; made if it is not there.")],
) -> None:
    """Write the .proto files of the gRPC API, of which stubs in any language are made."""
    # TensorFlow Serving's messages bring TensorFlow in, which talks.
    with output_to(Path(os.devnull)):
        from serving.grpc.proto_files import write_protos

        try:
            written = write_protos(folder)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be written: {error.strerror}; name another folder") from error
    _say(f"Wrote {len(written)} files below {folder}")


@app.command()
def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    engine: Annotated[
        Engine, typer.Option(help="tensorflow_model_server: the original, its program or its Docker image.")
    ] = Engine.EMBEDDED,
) -> None:
    """Serve the pushed model until Ctrl-C or SIGTERM; newer versions are taken up as they are pushed."""
    serve_pushed(configuration.load(config, overrides), engine)


@app.command(cls=AnyOptions, epilog=options_help())
def predict(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT", help="What to ask; one answer each. For sound: WAV files."),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    options: Annotated[
        list[str],
        typer.Option(
            "--with",
            metavar="KEY=VALUE",
            help="A label that steers the answer, or a setting of the request; repeatable. --KEY VALUE says the same.",
        ),
    ] = [],  # noqa: B006
    out: Annotated[Path, typer.Option(metavar="FILE", help="The WAV file to write, where the answer is sound.")] = Path(
        "clip.wav"
    ),
) -> None:
    """Ask the running server."""
    from pipeline.serve.ask import ask

    settings = configuration.load(config, overrides)
    # TensorFlow, which a protected server's keys need, talks when it is imported.
    with output_to(Path(os.devnull)):
        answers = ask(settings, inputs or [], options=parse_options(options), out=out)
    for answer in answers:
        _say(answer)


@app.command()
def runs(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, newest run first.")] = False,
    as_page: Annotated[bool, typer.Option("--html", help="A page of all runs with links to their reports.")] = False,
    last: Annotated[int, typer.Option(min=1, metavar="N", help="How many runs at most; a page has all.")] = 20,
) -> None:
    """Show the history of runs: when, which configuration, metrics, blessed or not, pushed version."""
    from components.evaluation.catalogue import judging_of, main_metric
    from pipeline.history.runs import read_runs
    from pipeline.history.table import course, runs_table
    from pipeline.run.output_folder import OutputFolder

    settings = configuration.load(config, overrides)
    folder = OutputFolder(settings)
    history = read_runs(folder.metadata, None if as_page else last)
    metric = main_metric(judging_of(settings.task), settings.evaluation)
    if as_json:
        typer.echo(json.dumps([one.to_json() for one in history], indent=2, ensure_ascii=False))
    elif history and as_page:
        # TensorFlow talks when it is imported.
        with output_to(Path(os.devnull)):
            from pipeline.report.index import write_index

            page = write_index(folder, history, {settings.name: metric})
        _say(str(page))
    elif history:
        _show(runs_table(history))
        if told := course(history, settings.name, metric):
            _say(told)
        for warning in history[0].warnings:
            _say(f"warning, {history[0].run_id}: {warning}")
    else:
        _say(f"No runs in {folder.root} yet. Start one: seqline run")


@app.command()
def report(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    run_id: Annotated[str, typer.Option("--run", metavar="ID", help="Which run; the newest if left out.")] = "",
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write the report of a run anew: a page, the same as JSON, and a model card."""
    settings = configuration.load(config, overrides)
    # TensorFlow talks when it is imported.
    with output_to(Path(os.devnull)):
        from pipeline.report.write import write_report

        page = write_report(settings, run_id)
    _tell_page(page, show)


@app.command()
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two or more; the first is compared with.")],
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Write a page, and the same as JSON, on how runs differ: settings, data, curves, metrics, answers."""
    settings = configuration.load(config, overrides)
    # TensorFlow talks when it is imported.
    with output_to(Path(os.devnull)):
        from pipeline.report.compare import write_comparison

        page = write_comparison(settings, run_ids)
    _tell_page(page, show)


@app.command()
def drift(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="LOG", help="Request logs, or folders of them; serving.request_log.folder if left out."),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = [],  # noqa: B006
    run_id: Annotated[
        str, typer.Option("--run", metavar="ID", help="Whose model was served; the newest that was pushed if left out.")
    ] = "",
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> None:
    """Compare what the served model was asked with what it was trained on; exit code 3 past a limit of `drift`."""
    settings = configuration.load(config, overrides)
    # TensorFlow talks when it is imported.
    with output_to(Path(os.devnull)):
        from pipeline.drift.write import write_drift

        found = write_drift(settings, logs or [], run_id)
    for sentence in found.sentences:
        _say(sentence)
    _tell_page(found.page, show)
    if found.sentences:
        raise typer.Exit(NOT_BLESSED)


def _tell_page(page: Path, show: bool) -> None:
    _say(str(page))
    if show:
        typer.launch(str(page))


@app.command()
def doctor(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = []) -> None:  # noqa: B006
    """Check this machine: platform, packages, accelerator, bfloat16, port, disk."""
    from pipeline.doctor import Verdict, examine

    findings = examine(config, overrides)
    colours = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        table.add_row(f"[{colours[finding.verdict]}]{finding.verdict}[/]", finding.subject, finding.detail)
    _show(table)
    if any(finding.verdict == Verdict.FAIL for finding in findings):
        raise typer.Exit(BUG)


def _run(config: Path, overrides: list[str], may_fall_short: bool = False) -> tuple[configuration.Config, Outcome, int]:
    settings = configuration.load(config, overrides)
    outcome = run_pipeline(settings, config, overrides)
    code = print_outcome(Console(), settings, outcome, overrides)
    if code and not may_fall_short:
        raise typer.Exit(code)
    return settings, outcome, code


def _show(table: Table) -> None:
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    # A file or a pipe has no width to fit, and no use for the blanks that fill it.
    wide = Console(width=1000)
    with wide.capture() as capture:
        wide.print(table)
    _say("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _say(text: str) -> None:
    typer.echo(text)
