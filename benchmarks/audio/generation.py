"""Audio samples per second of a pushed WaveNet, with XLA and without, beside the full pass and PyTorch.

    python -m benchmarks.audio.generation --model outputs/serving/digits_wavenet --output generation.json
    python -m benchmarks.audio.generation --untrained --output generation.json

Each contestant is a process of its own and stands still while another is measured; the rounds go through all of them
again and again. A figure is the median of its rounds. The first call, which compiles, stands apart.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.audio.contestants import OURS, TORCH, Contestants, Plan
from benchmarks.audio.rounds import refusals, take_turns, times_as_fast
from benchmarks.audio.untrained import settings_of
from benchmarks.audio.workers import ROOT
from benchmarks.serving.processes import BenchmarkError, clean_up_on_sigterm
from benchmarks.serving.servers import newest_version
from benchmarks.serving.tables import markdown
from models.description import ModelDescription


def measure(version: Path, plan: Plan) -> dict[str, Any]:
    """Runs all rounds on one SavedModel."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contestants = Contestants(version, plan, folder, stack)
        contestants.start()
        progress = stack.enter_context(Progress())
        bar = progress.add_task("rounds", total=len(contestants.series) * (plan.rounds + 1))
        for _ in take_turns(contestants.series, plan.rounds):
            progress.advance(bar)
        figures = [one.summary() for one in contestants.series]
        return {"workers": contestants.facts, "figures": figures}


def table(result: dict[str, Any]) -> str:
    """A row for each contestant and number of rows."""
    rate, figures = result["sample_rate"], result["figures"]
    header = "generator, clips at once|samples/s|each clip, times real time|first call s|seqline is".split("|")
    body = [
        [
            f"{one['name']}, {one['rows']}",
            f"{one['per_second']:.0f}" if one["rounds"] else "refused",
            f"{one['per_second'] / one['rows'] / rate:.3f}",
            f"{one['first_seconds']:.1f}",
            times_as_fast(figures, one, OURS),
        ]
        for one in figures
    ]
    model = result["settings"]["model"]
    layers = model["dilation_depth"] * model["num_stacks"]
    note = (
        f"{result['model']}: {layers} layers of {model['hidden_dim']} channels, {model['skip_dim']} skip channels, "
        f"{rate} Hz; {result['rounds']} rounds, {result['threads']} threads, {result['processors']} processors. "
        "`seqline` is the SavedModel in the server's session, compiled by XLA."
    )
    return "\n".join([markdown(header, body), "", note, *refusals(figures), ""])


def main(
    output: Annotated[Path, typer.Option(help="Where the JSON goes; the table goes beside it, as .md.")],
    model: Annotated[Path | None, typer.Option(help="Pushed model: a folder with one folder per version.")] = None,
    untrained: Annotated[bool, typer.Option("--untrained", help="Export a model with fresh weights instead.")] = False,
    skip_dim: Annotated[int, typer.Option(min=1, help="Skip channels of the untrained model.")] = 128,
    hidden_dim: Annotated[int, typer.Option(min=1, help="Channels of the untrained model.")] = 32,
    dilation_depth: Annotated[int, typer.Option(min=1, help="Layers of each stack of the untrained model.")] = 10,
    num_stacks: Annotated[int, typer.Option(min=1, help="Stacks of the untrained model.")] = 2,
    sample_rate: Annotated[int, typer.Option(min=1000, help="Of the untrained model, in Hz.")] = 8000,
    rows: Annotated[list[int], typer.Option(help="Clips generated at once; repeatable.")] = [1, 4, 16, 64],  # noqa: B006
    samples: Annotated[int, typer.Option(min=1, help="Of a measurement, all clips together; peers an eighth.")] = 16000,
    full_pass_samples: Annotated[int, typer.Option(min=1, help="Of a measurement of the full passes.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, max=100)] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Inside an operation.")] = os.cpu_count() or 1,
    served: Annotated[bool, typer.Option("--served", help="Also ask our server over gRPC.")] = False,
    torch: Annotated[bool, typer.Option(help="Also measure PyTorch.")] = True,
    torch_compile: Annotated[
        bool, typer.Option("--torch-compile", help="Also by torch.compile; needs a C++ compiler.")
    ] = False,
) -> None:
    """Compares ways to generate sound on this machine."""
    clean_up_on_sigterm()
    ways = [way for way in TORCH if torch and (way != "compile" or torch_compile)]
    plan = Plan(rows, samples, full_pass_samples, rounds, threads, served, ways)
    with tempfile.TemporaryDirectory() as folder:
        if untrained:
            settings = settings_of(hidden_dim, skip_dim, dilation_depth, num_stacks, sample_rate)
            version = _export(Path(folder) / "1", json.dumps(settings))
        elif model:
            version = newest_version(model)
        else:
            raise BenchmarkError("nothing to measure: give --model FOLDER or --untrained")
        described = ModelDescription.read(version)
        facts = {"model": described.name, "settings": described.settings, "processors": os.cpu_count()}
        facts |= {"sample_rate": described.settings["audio"]["sample_rate"], **asdict(plan)}
        result = facts | measure(version, plan)
    output.write_text(json.dumps(result, indent=1))
    written = table(result)
    output.with_suffix(".md").write_text(written)
    print(written)


def _export(folder: Path, settings: str) -> Path:
    # In a process of its own: this one does without TensorFlow, whose threads would take part in the measurement.
    command = [sys.executable, "-m", "benchmarks.audio.untrained", str(folder), settings]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"})
    return folder


if __name__ == "__main__":
    typer.run(main)
