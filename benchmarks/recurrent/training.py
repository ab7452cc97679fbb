"""Training steps of recurrent models beside PyTorch models of the same shapes.

    python -m benchmarks.recurrent.training --output recurrent.json

Both take steps of Adam with clipped gradients on one random batch without padding; each is a process of its own and
stands still while the other is measured, in alternating rounds. A figure is the median of its rounds.
"""

import contextlib
import json
import os
import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.audio.rounds import Ask, Series, require_equal_size, require_torch, take_turns
from benchmarks.audio.workers import Worker
from benchmarks.recurrent.shapes import SHAPES, Shape
from benchmarks.serving.processes import clean_up_on_sigterm
from benchmarks.serving.tables import markdown

OURS, PEER = "seqline", "PyTorch"
PRECISIONS = ["float32", "mixed_bfloat16"]


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        steps: Of one measurement.
        rounds: Measurements of each.
        threads: Inside one operation, of both.
        torch: Whether PyTorch is measured.
        processor_time: Whether seconds are those of the processors, for a machine that does other things too.
    """

    steps: int
    rounds: int
    threads: int
    torch: bool
    processor_time: bool = False


def measure(shape: Shape, precision: str, plan: Plan) -> dict[str, Any]:
    """Runs all rounds of one shape."""
    settings = shape.settings(precision)
    options = {"settings": settings, "length": shape.length, "pieces": shape.pieces, "threads": plan.threads}
    jobs: dict[str, tuple[str, dict[str, Any], Path | None]] = {OURS: ("keras_training", options, None)}
    if plan.torch:
        theirs = {name: settings[name] for name in ("model", "training")}
        jobs[PEER] = ("torch_training", options | {"settings": theirs, "task": shape.task}, require_torch())
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        job = {"steps": plan.steps, "processor_time": plan.processor_time}
        series: list[Series] = []
        facts: dict[str, dict[str, Any]] = {}
        for name, (module, arguments, python) in jobs.items():
            worker = Worker(f"benchmarks.recurrent.{module}", arguments, folder / f"{name}.log", python)
            facts[name] = stack.enter_context(worker).facts
            rows = shape.batch_size * plan.steps
            series.append(Series(name, shape.batch_size, rows, Ask(worker, job)))
        require_equal_size(facts)
        progress = stack.enter_context(Progress())
        bar = progress.add_task(precision, total=len(series) * (plan.rounds + 1))
        for _ in take_turns(series, plan.rounds):
            progress.advance(bar)
    return {"workers": facts, "figures": {one.name: one.summary() for one in series}}


def times_as_fast(figures: dict[str, Any]) -> float | None:
    """How many times as fast ours is: the median over the rounds; None without PyTorch."""
    if PEER not in figures:
        return None
    pairs = zip(figures[OURS]["rounds"], figures[PEER]["rounds"], strict=True)
    return statistics.median(ours / theirs for ours, theirs in pairs)


def table(result: dict[str, Any]) -> str:
    """A row for each shape and precision."""
    header = "model, precision|seqline ms/step|PyTorch ms/step|seqline is|parameters".split("|")
    body = []
    for one in result["measured"]:
        figures, ratio = one["figures"], times_as_fast(one["figures"])
        times = [
            f"{1000 * figures[name]['rows'] / figures[name]['per_second']:.0f}" if name in figures else "-"
            for name in (OURS, PEER)
        ]
        faster = f"{ratio:.2f}x" if ratio else "-"
        body.append([f"{one['name']}, {one['precision']}", *times, faster, str(one["workers"][OURS]["parameters"])])
    note = (
        f"{result['rounds']} rounds of {result['steps']} steps, {result['threads']} threads, "
        f"{result['processors']} processors{', processor time' * result['processor_time']}; "
        "ratios are medians over the rounds."
    )
    return "\n".join([markdown(header, body), "", note, ""])


def main(
    output: Annotated[Path, typer.Option(help="Where the JSON goes; the table goes beside it, as .md.")],
    shape: Annotated[list[str], typer.Option(help="Beginning of a shape's name; repeatable.")] = [""],  # noqa: B006
    precision: Annotated[list[str], typer.Option(help="Repeatable.")] = PRECISIONS,
    steps: Annotated[int, typer.Option(min=1, help="Of one measurement.")] = 5,
    rounds: Annotated[int, typer.Option(min=1, max=100)] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Inside an operation.")] = os.cpu_count() or 1,
    torch: Annotated[bool, typer.Option(help="Also measure PyTorch.")] = True,
    processor_time: Annotated[
        bool, typer.Option("--processor-time", help="Count processor seconds: where the machine does other things too.")
    ] = False,
) -> None:
    """Compares training steps on this machine."""
    clean_up_on_sigterm()
    plan = Plan(steps, rounds, threads, torch, processor_time)
    wanted = {name: one for name, one in SHAPES.items() if name.startswith(tuple(shape))}
    measured = [
        {"name": name, "precision": arithmetic, "shape": asdict(one), **measure(one, arithmetic, plan)}
        for arithmetic in precision
        for name, one in wanted.items()
    ]
    result = {**asdict(plan), "processors": os.cpu_count(), "measured": measured}
    output.write_text(json.dumps(result, indent=1))
    written = table(result)
    output.with_suffix(".md").write_text(written)
    print(written)


if __name__ == "__main__":
    typer.run(main)
