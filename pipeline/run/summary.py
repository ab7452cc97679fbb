"""What the user reads when a run has ended."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipeline.config.config import Config
from pipeline.errors import StageFailed
from pipeline.history.table import shown
from pipeline.run.failures import gist, is_disk_full, user_message
from pipeline.run.output_folder import OutputFolder
from pipeline.run.run import Outcome

DONE, BUG, BAD_INPUT, NOT_BLESSED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
# Settings that `seqline serve` reads.
_SERVED = ("name=", "output_dir=", "serving.")


def print_outcome(console: Console, config: Config, outcome: Outcome, overrides: Sequence[str] = ()) -> int:
    """Prints what the run led to and what to do next; returns the exit code of the program.

    Args:
        console: where to print.
        config: of the run.
        outcome: of the run.
        overrides: of the command line; those that decide what is served, and where, are part of the next command.
    """
    if outcome.failure:
        return _print_failure(console, config, outcome.failure, outcome)
    run = outcome.run
    lines = [(name, f"{value:.4g}") for name, value in run.metrics.items()]
    lines += [(name, shown(value)) for name, value in run.data.items()]
    lines += [(name, _near(page)) for name, page in run.pages.items()]
    if run.pushed_to:
        lines.append(("pushed", f"version {run.pushed_version} in {_near(run.pushed_to)}"))
    if outcome.report:
        lines.append(("report", _near(outcome.report)))
    lines.append(("log", _near(outcome.log)))
    _say(console, "")
    width = max(14, *(len(name) for name, _ in lines))
    for name, value in lines:
        _say(console, f"  {name:<{width}} {value}")
    _print_warnings(console, run.warnings)
    if outcome.pushed:
        _say(console, f"\nNext: seqline serve{_with_settings(outcome, overrides)}")
        return DONE
    _say(console, f"\nNot pushed: {_why_not(outcome)}")
    for shortfall in run.shortfalls:
        _say(console, f"  {shortfall}")
    return NOT_BLESSED


def print_error(console: Console, message: str) -> None:
    """One error line for each line of the message; indented lines belong to the one above them."""
    for line in message.splitlines() or [""]:
        if not line.startswith(" "):
            console.print("[red]error:[/] ", end="")
        _say(console, line)


def print_warning(console: Console, message: str) -> None:
    """One thing that a person would want to hear and that stops nothing."""
    console.print("[yellow]warning:[/] ", end="")
    _say(console, message)


def _print_failure(console: Console, config: Config, failure: StageFailed, outcome: Outcome) -> int:
    cause = failure.cause
    if cause is not None and is_disk_full(cause):
        folder = OutputFolder(config).root
        print_error(console, f"{failure.stage}: No space left on {folder}; free some and run again: the run resumes")
        code = BAD_INPUT
    elif cause is not None and (message := user_message(cause)) is not None:
        print_error(console, f"{failure.stage}: {message}")
        code = BAD_INPUT
    else:
        print_error(console, f"{failure.stage}: {gist(cause) if cause is not None else failure.detail}")
        code = BUG
    _print_warnings(console, outcome.run.warnings)
    if outcome.report:
        _say(console, f"The report of the run: {_near(outcome.report)}")
    _say(console, f"The whole story: {outcome.log}")
    return code


def _print_warnings(console: Console, warnings: Sequence[str]) -> None:
    """They may say why the figures are what they are, or why a stage failed."""
    for warning in warnings:
        print_warning(console, warning)


def _near(path: str | Path) -> str:
    """A path as short as it can be typed here."""
    return str(Path(path).relative_to(Path.cwd()) if Path(path).is_relative_to(Path.cwd()) else path)


def _why_not(outcome: Outcome) -> str:
    if outcome.run.blessed is False:
        return "the model falls short of what was asked of it"
    if outcome.run.servable is False:
        reason = outcome.run.not_servable or f"see {outcome.log}"
        return f"the model failed its test on the server: {reason}"
    return f"see {outcome.log}"


def _with_settings(outcome: Outcome, overrides: Sequence[str]) -> str:
    file = outcome.run.config_file
    words = [] if file == "pipeline_config.yaml" else ["-c", file]
    words += [word for one in overrides if one.startswith(_SERVED) for word in ("--set", one)]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _say(console: Console, text: str) -> None:
    # Paths and messages are shown as they are: no markup, no colours by guess, no line breaks inside a path.
    console.print(text, markup=False, highlight=False, soft_wrap=True)
