"""A server under load whose model gets a new version again and again: no request may fail, and its memory stays flat.

python -m benchmarks.serving.swaps --model outputs/serving/dates --texts texts.txt --output swaps.json
"""

import json
import shutil
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track

from benchmarks.serving.processes import Load, Program, Target, clean_up_on_sigterm, our_server
from benchmarks.serving.published import publish, states
from benchmarks.serving.requests import groups, predict_requests, read_requests, read_texts, write_requests
from benchmarks.serving.servers import newest_version, text_input
from benchmarks.serving.tables import markdown
from serving.client import Client

LONGEST_SECONDS = 3600.0


def swap(base: Path, source: Path, number: int, client: Client, program: Program) -> None:
    """Publishes a version; returns when it answers and the one before is unloaded and removed."""
    publish(source, base, number)
    program.wait_until(lambda: states(client).get(number) == "AVAILABLE")
    program.wait_until(lambda: states(client).get(number - 1, "END") == "END")
    shutil.rmtree(base / str(number - 1))


def measure(base: Path, source: Path, target_requests: Path, count: int, pause: float, clients: int) -> dict[str, Any]:
    """Serves `base`, which holds version 1, and swaps it `count` times."""
    name, memory = base.name, []
    flags = (f"--model_name={name}", f"--model_base_path={base}", "--enable_batching")
    with our_server(base.parent / "server.log", *flags) as (program, address):
        target = Target(address, target_requests)
        first = read_requests(target_requests)[0]
        program.wait_until(lambda: target.answers(first))
        load = Load(target, clients, LONGEST_SECONDS)
        try:
            with Client(address, name) as client:
                for number in track(range(2, count + 2), "swaps"):
                    swap(base, source, number, client, program)
                    time.sleep(pause)
                    memory.append(program.resident_bytes())
        finally:
            report = load.stop()
    return {"swaps": count, "pause_seconds": pause, **asdict(report), **flatness(memory), "resident_bytes": memory}


def flatness(memory: list[int]) -> dict[str, float]:
    """Memory after the warm-up and at the end, each the median of ten swaps, or of a third where there are few."""
    window = max(1, min(10, len(memory) // 3))
    warm, end = statistics.median(memory[window : 2 * window] or memory), statistics.median(memory[-window:])
    return {"warm_bytes": warm, "end_bytes": end, "growth": end / warm - 1}


def main(
    model: Annotated[Path, typer.Option(help="Pushed model: a folder with one folder per version.")],
    texts: Annotated[list[Path], typer.Option(help="File of texts, one per line; repeatable.")],
    output: Annotated[Path, typer.Option(help="Where the JSON goes.")],
    swaps: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    pause: Annotated[float, typer.Option(min=0, max=60, help="Seconds between two swaps.")] = 0.5,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Clients.")] = 8,
    signature: Annotated[str, typer.Option(help="Signature with one input of texts.")] = "serving_default",
) -> None:
    """Swaps versions of one model under load."""
    clean_up_on_sigterm()
    source = newest_version(model).resolve()
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / model.resolve().name
        base.mkdir()
        publish(source, base, 1)
        lines = groups(read_texts(texts), 1)
        requests = predict_requests(base.name, signature, text_input(source, signature), lines)
        path = write_requests(Path(folder) / "requests.json", requests)
        result = {"model": model.name, **measure(base, source, path, swaps, pause, concurrency)}
    output.write_text(json.dumps(result, indent=1))
    failed = sum(result["errors"].values())
    mebibytes = (f"{result[name] / 2**20:.0f}" for name in ("warm_bytes", "end_bytes"))
    header = ["swaps", "answered", "failed", "p99 ms", "memory warm, MiB", "memory at the end, MiB", "growth"]
    print(
        markdown(
            header,
            [[swaps, result["answered"], failed, f"{result['p99']:.1f}", *mebibytes, f"{result['growth']:+.1%}"]],
        )
    )
    if failed:
        print(f"failed: {result['errors']}")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
