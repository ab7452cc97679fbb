"""Sentences per second of a pushed seq2seq, by beam search, one and many in a request.

    python -m benchmarks.recurrent.translating --model outputs/serving/NAME --texts TEXTS --output translating.json
    python -m benchmarks.recurrent.translating --untrained --output translating.json

Requests of each size take turns in one process. A figure is the median of its rounds.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.audio.rounds import Ask, Series, take_turns
from benchmarks.audio.workers import ROOT, Worker
from benchmarks.recurrent.shapes import words
from benchmarks.serving.processes import BenchmarkError, clean_up_on_sigterm
from benchmarks.serving.requests import read_texts
from benchmarks.serving.servers import newest_version
from benchmarks.serving.tables import markdown
from models.tokenizers.special import SPECIAL_TOKENS

PIECES = 5000


def measure(
    version: Path, texts: list[str], rows: list[int], sentences: int, rounds: int, beam_width: int, threads: int
) -> dict[str, Any]:
    """Runs all rounds on one SavedModel; of each size at least one request is made in a round."""
    options = {"folder": str(version), "texts": texts, "beam_width": beam_width, "threads": threads}
    with (
        tempfile.TemporaryDirectory() as folder,
        Worker("benchmarks.recurrent.servable_translation", options, Path(folder) / "log") as worker,
    ):
        series = []
        for size in rows:
            whole = max(1, sentences // size) * size
            series.append(Series("seqline", size, whole, Ask(worker, {"rows": size, "sentences": whole})))
        for _ in take_turns(series, rounds):
            pass
        return {"workers": {"seqline": worker.facts}, "figures": [one.summary() for one in series]}


def table(result: dict[str, Any]) -> str:
    """A row for each size of a request."""
    header = "sentences in a request|sentences/s|ms a request|first round s".split("|")
    body = [
        [
            str(one["rows"]),
            f"{one['per_second']:.1f}",
            f"{1000 * one['rows'] / one['per_second']:.0f}" if one["rounds"] else f"refused: {one['refusal']}",
            f"{one['first_seconds']:.1f}",
        ]
        for one in result["figures"]
    ]
    asked = result["workers"]["seqline"]["request_settings"]
    note = (
        f"{result['model']}: beam of {asked['beam_width']}, targets of {asked['max_length']:g} tokens at most; "
        f"{result['rounds']} rounds, {result['threads']} threads, {result['processors']} processors."
    )
    return "\n".join([markdown(header, body), "", note, ""])


def random_texts(tokens: int) -> list[str]:
    """Sentences of the untrained model's words."""
    draw, known = random.Random(1), [word[1:] for word in words(PIECES)[len(SPECIAL_TOKENS) :]]
    return [" ".join(draw.choices(known, k=tokens)) for _ in range(64)]


def main(
    output: Annotated[Path, typer.Option(help="Where the JSON goes; the table goes beside it, as .md.")],
    model: Annotated[Path | None, typer.Option(help="Pushed model: a folder with one folder per version.")] = None,
    texts: Annotated[Path | None, typer.Option(help="File of sources, one a line.")] = None,
    untrained: Annotated[bool, typer.Option("--untrained", help="Export a model with fresh weights instead.")] = False,
    tokens: Annotated[int, typer.Option(min=1, help="Of the untrained model's sources and targets.")] = 16,
    rows: Annotated[list[int], typer.Option(min=1, help="Sentences in a request; repeatable.")] = [1, 32],  # noqa: B006
    sentences: Annotated[int, typer.Option(min=1, help="Of a measurement.")] = 64,
    rounds: Annotated[int, typer.Option(min=1, max=100)] = 5,
    beam_width: Annotated[int, typer.Option(min=1)] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Inside an operation.")] = os.cpu_count() or 1,
) -> None:
    """Measures translating on this machine."""
    clean_up_on_sigterm()
    with tempfile.TemporaryDirectory() as folder:
        if untrained:
            name, version, sources = "untrained", _export(Path(folder) / "1", tokens), random_texts(tokens)
        elif model and texts:
            name, version, sources = model.name, newest_version(model), read_texts([texts])
        else:
            raise BenchmarkError("nothing to measure: give --model FOLDER and --texts FILE, or --untrained")
        facts = {"model": name, "rounds": rounds, "threads": threads, "processors": os.cpu_count()}
        result = facts | measure(version, sources, rows, sentences, rounds, beam_width, threads)
    output.write_text(json.dumps(result, indent=1))
    written = table(result)
    output.with_suffix(".md").write_text(written)
    print(written)


def _export(folder: Path, tokens: int) -> Path:
    # In a process of its own: this one does without TensorFlow, whose threads would take part in the measurement.
    command = [sys.executable, "-m", "benchmarks.recurrent.untrained", str(folder), str(PIECES), str(tokens)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=600, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"})
    return folder


if __name__ == "__main__":
    typer.run(main)
