"""Fuzzes a server over both ports: `python -m benchmarks.fuzz.run`.

Half of the messages go over gRPC, half over REST. Exit status 1 when an answer is none of the contract's, a request
that is right is answered wrong, or a server ends.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.fuzz.servers import Servers, start_servers
from tests.serving.fuzz.campaign import Campaign, Case, Connections, Tally

_PARTS = 10  # memory is looked at after each

Memory = dict[str, float]


def main(
    messages: Annotated[int, typer.Option(help="How many messages to send.")] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed sends the same messages.")] = 1,
    workers: Annotated[int, typer.Option(help="Messages under way at the same time.")] = 8,
    only: Annotated[int, typer.Option(help="Send this one message of the seed and show the answer.")] = -1,
) -> None:
    console = Console()
    with tempfile.TemporaryDirectory() as folder, start_servers(Path(folder)) as servers:
        if only >= 0:
            _show(Campaign(servers.target, seed).case(only), servers, console)
            return
        started = time.monotonic()
        campaign = Campaign(servers.target, seed)
        memory = [servers.resident_megabytes(), *_run(campaign, messages, workers, servers, console)]
        seconds = time.monotonic() - started
        problems = [
            *campaign.tally.findings,
            *(f"the server {name} has ended" for name in servers.ended()),
            *(f"in a log: {line}" for line in servers.surprises()),
        ]
    sent = campaign.tally.counts.total()
    console.print(_counts(campaign.tally))
    console.print(_memory(memory))
    console.print(
        f"{sent:,} messages in {seconds:.0f} s ({sent / seconds:.0f}/s), {len(problems)} findings, seed {seed}"
    )
    for problem in problems:
        console.print(problem, markup=False, highlight=False)
    raise typer.Exit(bool(problems) or sent != messages)


def _show(case: Case, servers: Servers, console: Console) -> None:
    connections = Connections(servers.target)
    reply, wrong = connections.try_out(case)
    connections.close()
    for line in (case, f"sent {case.data!r}", reply, f"finding: {wrong}", *servers.surprises()):
        console.print(str(line), markup=False, highlight=False)


def _run(campaign: Campaign, messages: int, workers: int, servers: Servers, console: Console) -> Iterator[Memory]:
    with Progress(console=console) as progress:
        task = progress.add_task("messages", total=messages)
        for part in range(_PARTS):
            numbers = range(messages * part // _PARTS, messages * (part + 1) // _PARTS)
            campaign.run(numbers, workers, lambda: progress.advance(task))
            if servers.ended():
                return
            yield servers.resident_megabytes()


def _counts(tally: Tally) -> Table:
    totals: Counter[str] = Counter()
    for (api, _), count in tally.counts.items():
        totals[api] += count
    table = Table("API", "messages", "answers")
    for api, total in sorted(totals.items()):
        statuses = sorted((status, count) for (of, status), count in tally.counts.items() if of == api)
        table.add_row(api, f"{total:,}", ", ".join(f"{status} {count:,}" for status, count in statuses))
    return table


def _memory(samples: list[Memory]) -> Table:
    table = Table("memory (MiB)", "at the start", "after a tenth", "at the end")
    for name in samples[0]:
        shown = samples[0], samples[min(1, len(samples) - 1)], samples[-1]
        table.add_row(name, *(f"{sample[name]:.0f}" for sample in shown))
    return table


if __name__ == "__main__":
    typer.run(main)
