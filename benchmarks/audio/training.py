"""Training samples per second of our WaveNet, beside a PyTorch model of the same shape.

    python -m benchmarks.audio.training --output training.json

Both take steps of Adam with clipped gradients on random samples, every sample of a row predicted; each is a process of
its own and stands still while the other is measured, in alternating rounds. A figure is the median of its rounds.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.audio.rounds import (
    Ask,
    Series,
    refusals,
    require_equal_size,
    require_torch,
    take_turns,
    times_as_fast,
    torch_shape,
)
from benchmarks.audio.untrained import settings_of
from benchmarks.audio.workers import Worker
from benchmarks.serving.processes import clean_up_on_sigterm
from benchmarks.serving.tables import markdown
from models.run_settings import RunSettings

OURS = "seqline"


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        batch_size: Rows of a step.
        length: Samples of a row.
        steps: Of one measurement.
        rounds: Measurements of each.
        threads: Inside one operation, of both.
        jit_compile: Whether ours is measured compiled by XLA too.
        torch: Whether PyTorch is measured.
        torch_compile: Whether it is measured compiled too.
    """

    batch_size: int
    length: int
    steps: int
    rounds: int
    threads: int
    jit_compile: bool
    torch: bool
    torch_compile: bool


def measure(settings: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """Runs all rounds on models of these settings (`RunSettings`, whole)."""
    size = {"length": plan.length, "threads": plan.threads}
    theirs = size | {"shape": torch_shape(settings["model"]), "batch_size": plan.batch_size}
    theirs |= {name: settings["training"][name] for name in ("learning_rate", "clip_norm")}
    jobs: dict[str, tuple[str, dict[str, Any], Path | None]] = {
        OURS: ("keras_training", size | {"settings": settings, "jit_compile": False}, None)
    }
    if plan.jit_compile:
        jobs["seqline, XLA"] = ("keras_training", size | {"settings": settings, "jit_compile": True}, None)
    if plan.torch:
        jobs["PyTorch"] = ("torch_training", theirs | {"is_compiled": False}, require_torch())
    if plan.torch_compile:
        jobs["PyTorch, torch.compile"] = ("torch_training", theirs | {"is_compiled": True}, require_torch())
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        series: list[Series] = []
        facts: dict[str, dict[str, Any]] = {}
        for name, (module, options, python) in jobs.items():
            worker = Worker(f"benchmarks.audio.{module}", options, folder / f"{len(facts)}.log", python)
            facts[name] = stack.enter_context(worker).facts
            samples = plan.batch_size * plan.length * plan.steps
            series.append(Series(name, plan.batch_size, samples, Ask(worker, {"steps": plan.steps})))
        require_equal_size(facts)
        progress = stack.enter_context(Progress())
        bar = progress.add_task("rounds", total=len(series) * (plan.rounds + 1))
        for _ in take_turns(series, plan.rounds):
            progress.advance(bar)
    return {"workers": facts, "figures": [one.summary() for one in series]}


def table(result: dict[str, Any]) -> str:
    """A row for each trainer."""
    header = "trainer|samples/s|s/step|first round s|seqline is".split("|")
    per_step = result["batch_size"] * result["length"]
    body = [
        [
            one["name"],
            f"{one['per_second']:.0f}",
            f"{per_step / one['per_second']:.3f}" if one["per_second"] else "-",
            f"{one['first_seconds']:.1f}",
            times_as_fast(result["figures"], one, OURS),
        ]
        for one in result["figures"]
    ]
    model = result["settings"]["model"]
    layers, parameters = model["dilation_depth"] * model["num_stacks"], result["workers"][OURS]["parameters"]
    note = (
        f"{layers} layers of {model['hidden_dim']} channels, {model['skip_dim']} skip channels, "
        f"{parameters} parameters; batches of {result['batch_size']} x {result['length']} samples, "
        f"{result['rounds']} rounds of {result['steps']} steps, {result['threads']} threads, "
        f"{result['processors']} processors."
    )
    return "\n".join([markdown(header, body), "", note, *refusals(result["figures"]), ""])


def main(
    output: Annotated[Path, typer.Option(help="Where the JSON goes; the table goes beside it, as .md.")],
    batch_size: Annotated[int, typer.Option(min=1, help="Rows of a step.")] = 8,
    chunk_length: Annotated[int, typer.Option(min=1, help="Samples of a row, all predicted.")] = 4096,
    steps: Annotated[int, typer.Option(min=1, help="Of one measurement.")] = 3,
    rounds: Annotated[int, typer.Option(min=1, max=100)] = 5,
    skip_dim: Annotated[int, typer.Option(min=1, help="Skip channels.")] = 128,
    hidden_dim: Annotated[int, typer.Option(min=1, help="Channels.")] = 32,
    dilation_depth: Annotated[int, typer.Option(min=1, help="Layers of each stack.")] = 10,
    num_stacks: Annotated[int, typer.Option(min=1, help="Stacks.")] = 2,
    threads: Annotated[int, typer.Option(min=1, help="Inside an operation.")] = os.cpu_count() or 1,
    jit_compile: Annotated[bool, typer.Option("--jit-compile", help="Also ours compiled by XLA; minutes.")] = False,
    torch: Annotated[bool, typer.Option(help="Also measure PyTorch.")] = True,
    torch_compile: Annotated[bool, typer.Option("--torch-compile", help="Also by torch.compile; needs g++.")] = False,
) -> None:
    """Compares training steps on this machine."""
    clean_up_on_sigterm()
    plan = Plan(batch_size, chunk_length, steps, rounds, threads, jit_compile, torch, torch_compile)
    given = settings_of(hidden_dim, skip_dim, dilation_depth, num_stacks, 8000)
    run = RunSettings.model_validate(given | {"training": {"batch_size": batch_size, "chunk_length": chunk_length}})
    settings = run.model_dump(mode="json")
    result = {"settings": settings, **asdict(plan), "processors": os.cpu_count(), **measure(settings, plan)}
    output.write_text(json.dumps(result, indent=1))
    written = table(result)
    output.with_suffix(".md").write_text(written)
    print(written)


if __name__ == "__main__":
    typer.run(main)
