"""Fuzzes the readers of data files: `python -m benchmarks.fuzz.readers`.

Each file that can be read is mutated again and again, in content and name. Exit status 1 when what a person would get
is a traceback, or a message that no terminal can show. The input that was under way stays in the folder.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tests.components.example_gen.fuzz import GOOD, PAIR, Good, complaint, complaint_of_pair, mutated

_SHOWN = 20


def main(
    times: Annotated[int, typer.Option(help="How often each file is mutated.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    only: Annotated[str, typer.Option(help="Name of the one file to mutate.")] = "",
) -> None:
    console = Console()
    table = Table("file", "mutations", "complaints", "seconds", "slowest, s")
    # Not removed when the process dies, so that the input can be looked at.
    folder = Path(tempfile.mkdtemp(prefix="seqline-fuzz-"))
    found: list[str] = []
    for good in (*GOOD, None):
        name = good.name if good else "pair"
        if only in ("", name):
            complaints, slowest, seconds = _fuzz(good, times, random.Random(f"{seed} {name}"), folder / name)
            table.add_row(name, str(times), str(len(complaints)), f"{seconds:.0f}", f"{slowest:.2f}")
            found += [f"{name}: {text}" for text in complaints]
    console.print(table)
    for text in found[:_SHOWN]:
        console.print(text, markup=False, highlight=False)
    raise typer.Exit(bool(found))


def _fuzz(good: Good | None, times: int, chance: random.Random, folder: Path) -> tuple[list[str], float, float]:
    found, slowest, started = [], 0.0, time.monotonic()
    for number in range(times):
        begun = time.monotonic()
        if good is None:
            text = complaint_of_pair(folder, *(mutated(chance, content) for content in PAIR))
        else:
            text = complaint(folder, good, _name(chance, good), mutated(chance, good.content))
        slowest = max(slowest, time.monotonic() - begun)
        if text:
            found.append(f"mutation {number}: {text}")
    return found, slowest, time.monotonic() - started


def _name(chance: random.Random, good: Good) -> bytes:
    """Mostly the file's own, else one of any bytes that a disk allows, with the same suffixes."""
    if chance.random() < 0.8:
        return good.name.encode()
    any_bytes = bytes(byte for byte in chance.randbytes(chance.randint(1, 12)) if byte not in b"\0/.")
    return any_bytes + b"1" + good.name[1:].encode()


if __name__ == "__main__":
    typer.run(main)
