"""Shows a run: one line for each stage that has ended, and below them the stage at work with its progress."""

import logging
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from pipeline.orchestrators.events import StageEvent, State

PROGRESS_LOGGER = "seqline.progress"
WARNINGS_LOGGER = "seqline.warnings"
_MARKS = {
    State.DONE: Text("✓ ", "green"),
    State.CACHED: Text("= ", "cyan"),
    State.FAILED: Text("✗ ", "red"),
}


class RunDisplay:
    """Listens to stage events and to the progress records of the stages.

    On a terminal a live line shows the stage at work. Elsewhere only plain lines are written: one when a stage ends,
    and one now and then, or when the record is marked `notable`, while a long one works.

    Args:
        console: where to write.
        quiet_seconds: least time between two progress lines where there is no terminal.
    """

    def __init__(self, console: Console, quiet_seconds: float = 30.0) -> None:
        self._console = console
        self._quiet_seconds = quiet_seconds
        self._last_line = time.monotonic()
        self._stages: list[str] = []
        self._stage = ""
        self._task: TaskID | None = None
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._handlers = {
            PROGRESS_LOGGER: _Handler(lambda record: self.on_progress(record.getMessage(), _progress_of(record))),
            WARNINGS_LOGGER: _Handler(lambda record: self.on_warning(record.getMessage())),
        }

    def __enter__(self) -> "RunDisplay":
        """Starts to listen to the progress records and the warnings."""
        for name, handler in self._handlers.items():
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops; the lines that were written stay."""
        for name, handler in self._handlers.items():
            logging.getLogger(name).removeHandler(handler)
        self._live.stop()

    def expect(self, stages: list[str]) -> None:
        """Tells which stages will come, in order."""
        self._stages = stages

    def on_stage(self, event: StageEvent) -> None:
        """A stage has started or ended."""
        if event.state == State.STARTED:
            self.show_work(event.stage)
            return
        self._end_work()
        number = (
            f"[{self._stages.index(event.stage) + 1:>2}/{len(self._stages)}]" if event.stage in self._stages else ""
        )
        line = f"{number:>7} {event.stage:<20} {event.state:<7} {event.seconds:>7.1f} s"
        # In one piece: the live line below would overwrite a beginning.
        mark = _MARKS[event.state] if self._console.is_terminal else Text()
        # A pipe has no width at which to break a line.
        self._console.print(mark + Text(line), soft_wrap=True)

    def show_work(self, description: str) -> None:
        """Something is at work that does not count its steps."""
        self._end_work()
        self._stage = description
        self._task = self._live.add_task(description, total=None, detail="")

    def on_progress(self, text: str, progress: dict[str, Any]) -> None:
        """A stage has told how far it is."""
        completed, total = progress.get("completed"), progress.get("total")
        fields = "  ".join(f"{name} {_show(value)}" for name, value in progress.get("fields", {}).items())
        count = f"{completed}/{total}" if total else ""
        detail = "  ".join(part for part in (count, fields or text) if part)
        if self._console.is_terminal:
            if self._task is not None:
                self._live.update(self._task, completed=completed, total=total, detail=detail)
        elif progress.get("notable") or time.monotonic() - self._last_line >= self._quiet_seconds:
            self._last_line = time.monotonic()
            self._console.print(
                f"        {progress.get('stage', self._stage)}: {detail}", markup=False, highlight=False, soft_wrap=True
            )

    def on_warning(self, text: str) -> None:
        """A stage has found something that a person would want to hear at once."""
        self._console.print(Text("        warning: ", "yellow") + Text(f"{self._stage}: {text}"), soft_wrap=True)

    def _end_work(self) -> None:
        self._last_line = time.monotonic()
        if self._task is not None:
            self._live.remove_task(self._task)
            self._task = None


class _Handler(logging.Handler):
    def __init__(self, hand_on: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.INFO)
        self._hand_on = hand_on

    def emit(self, record: logging.LogRecord) -> None:
        self._hand_on(record)


def _progress_of(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "progress", {})


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
