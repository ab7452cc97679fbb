import io
import logging

from rich.console import Console

from pipeline.orchestrators.events import StageEvent, State
from pipeline.run.display import PROGRESS_LOGGER, RunDisplay


def tell(completed: int, **fields: float) -> None:
    progress = {"stage": "Trainer", "completed": completed, "total": 200, "fields": fields}
    logging.getLogger(PROGRESS_LOGGER).info("step %d", completed, extra={"progress": progress})


def play(console: Console, quiet_seconds: float = 0.0) -> None:
    with RunDisplay(console, quiet_seconds) as display:
        display.show_work("Loading TFX")
        display.expect(["ExampleGen", "Trainer"])
        display.on_stage(StageEvent("ExampleGen", State.STARTED))
        display.on_stage(StageEvent("ExampleGen", State.CACHED, 0.04))
        display.on_stage(StageEvent("Trainer", State.STARTED))
        tell(10, loss=0.123456)
        display._live.refresh()
        display.on_stage(StageEvent("Trainer", State.FAILED, 61.25))


def test_without_a_terminal_each_stage_is_one_plain_line() -> None:
    out = io.StringIO()
    play(Console(file=out), quiet_seconds=60)
    assert out.getvalue().splitlines() == [
        " [ 1/2] ExampleGen           cached      0.0 s",
        " [ 2/2] Trainer              failed     61.2 s",
    ]


def test_without_a_terminal_long_work_writes_a_line_now_and_then() -> None:
    out = io.StringIO()
    play(Console(file=out), quiet_seconds=0)
    assert "        Trainer: 10/200  loss 0.1235" in out.getvalue().splitlines()


def test_without_a_terminal_a_notable_record_is_written_at_once() -> None:
    out = io.StringIO()
    with RunDisplay(Console(file=out), quiet_seconds=60) as display:
        display.on_stage(StageEvent("Trainer", State.STARTED))
        display.on_progress("", {"stage": "Trainer", "completed": 5, "total": 9, "fields": {"resumed_at": 5}})
        assert not out.getvalue()
        notable = {"stage": "Trainer", "completed": 5, "total": 9, "fields": {"resumed_at": 5}, "notable": True}
        display.on_progress("", notable)
    assert out.getvalue() == "        Trainer: 5/9  resumed_at 5\n"


def test_a_terminal_shows_steps_loss_and_time_left() -> None:
    out = io.StringIO()
    play(Console(file=out, force_terminal=True, width=120, color_system=None))
    assert "10/200  loss 0.1235" in out.getvalue()
    assert "left" in out.getvalue()
    assert "✗  [ 2/2] Trainer              failed     61.2 s" in out.getvalue()


def test_after_the_run_nobody_listens() -> None:
    out = io.StringIO()
    play(Console(file=out), quiet_seconds=0)
    written = out.getvalue()
    tell(20)
    assert out.getvalue() == written
    assert logging.getLogger(PROGRESS_LOGGER).handlers == []


def test_an_unusual_record_does_no_harm() -> None:
    out = io.StringIO()
    with RunDisplay(Console(file=out), 0):
        logging.getLogger(PROGRESS_LOGGER).info("reading [files]")
    assert "reading [files]" in out.getvalue()


def test_without_a_terminal_long_lines_are_not_broken() -> None:
    out = io.StringIO()
    fields = {f"a_long_name_of_a_figure_{number}": 0.5 for number in range(8)}
    with RunDisplay(Console(file=out, width=80), 0):
        tell(10, **fields)
    [line] = out.getvalue().splitlines()
    assert line.endswith("a_long_name_of_a_figure_7 0.5")


def test_a_warning_is_shown_at_once() -> None:
    out = io.StringIO()
    with RunDisplay(Console(file=out), quiet_seconds=60) as display:
        display.on_stage(StageEvent("DataGate", State.STARTED))
        logging.getLogger("seqline.warnings").warning("eval: only %d examples", 5)
    assert out.getvalue() == "        warning: DataGate: eval: only 5 examples\n"
