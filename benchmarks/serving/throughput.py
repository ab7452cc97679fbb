"""Requests per second and latencies of our server, beside a bare echo, two peers, and the model without a server.

    python -m benchmarks.serving.throughput --model outputs/serving/dates --texts texts.txt --output dates.json

All servers run at the same time, but each stands still while another is measured; the rounds go through all of them
again and again, each time in another order, so that a busy minute of the machine hurts all alike. A figure is the
median of its rounds.
"""

import contextlib
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from benchmarks.serving.h2load import h2load
from benchmarks.serving.limit import Limit
from benchmarks.serving.load import Report
from benchmarks.serving.processes import BenchmarkError, Program, Target, clean_up_on_sigterm, python_load
from benchmarks.serving.requests import groups, read_requests, read_texts
from benchmarks.serving.servers import ECHO, MAX_BATCH_SIZE, OURS, SERVERS, Job, newest_version, start
from benchmarks.serving.tables import throughput_table

WARM_UP_SECONDS = 0.5
GENERATORS = {"python": python_load, "h2load": h2load}


@dataclass
class Series:
    """The rounds of one server at one concurrency."""

    server: str
    concurrency: int
    reports: list[Report] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The medians, all errors, and the rounds themselves."""
        names = ("per_second", "p50", "p95", "p99", "client_cpu")
        medians = {name: statistics.median(getattr(report, name) for report in self.reports) for name in names}
        errors = sum(sum(report.errors.values()) for report in self.reports)
        rounds = [asdict(report) for report in self.reports]
        return {"server": self.server, "concurrency": self.concurrency, **medians, "errors": errors, "rounds": rounds}


@dataclass(frozen=True)
class Plan:
    """What is measured."""

    concurrencies: Sequence[int]
    rounds: int
    seconds: float
    rows: int
    generator: str


@contextlib.contextmanager
def running(servers: Sequence[str], job: Job, words: Sequence[bytes]) -> Iterator[dict[str, tuple[Program, Target]]]:
    """All servers, standing still. Each has proved that it gives the model's answer.

    Raises:
        BenchmarkError: One gives another.
    """
    with contextlib.ExitStack() as stack:
        found = {}
        for server in servers:
            program, target = found[server] = stack.enter_context(start(server, job))
            answer = target.ask(read_requests(target.requests)[0])
            missing = [word for word in words if word not in answer]
            if missing:
                raise BenchmarkError(f"{server} answers {answer!r}, without {missing}")
            program.pause()
        yield found


def measure(limit: Limit, job: Job, servers: Sequence[str], texts: Sequence[str], plan: Plan) -> dict[str, Any]:
    """Runs all rounds."""
    series = {(server, count): Series(server, count) for count in plan.concurrencies for server in servers}
    sizes = {count: min(count * plan.rows, MAX_BATCH_SIZE) for count in plan.concurrencies}
    singles: list[float] = []
    limits: dict[int, list[float]] = {size: [] for size in {*sizes.values(), MAX_BATCH_SIZE}}
    with running(servers, job, limit.describe(texts).words) as found, Progress() as progress:
        bar = progress.add_task("rounds", total=plan.rounds * (len(series) + 1))
        for turn in range(plan.rounds):
            singles.append(limit.single_milliseconds(texts, plan.rows, plan.seconds / 2))
            for size, found_limits in limits.items():
                found_limits.append(limit.rows_per_second(texts, size, plan.seconds))
            progress.advance(bar)
            for server in [*servers[turn % len(servers) :], *servers[: turn % len(servers)]]:
                program, target = found[server]
                program.go_on()
                for count in plan.concurrencies:
                    report = GENERATORS[plan.generator](target, count, plan.seconds, WARM_UP_SECONDS)
                    series[server, count].reports.append(report)
                    progress.advance(bar)
                program.pause()
    medians = {size: statistics.median(each) for size, each in limits.items()}
    return {
        "limit_rows_per_second": medians[MAX_BATCH_SIZE],
        "limit_batch_size": MAX_BATCH_SIZE,
        "limits_by_concurrency": {count: medians[size] for count, size in sizes.items()},
        "single_run_p50": statistics.median(singles),
        "figures": [one.summary() for one in series.values()],
    }


def main(
    model: Annotated[Path, typer.Option(help="Pushed model: a folder with one folder per version.")],
    texts: Annotated[list[Path], typer.Option(help="File of texts, one per line; repeatable.")],
    output: Annotated[Path, typer.Option(help="Where the JSON goes; the table goes beside it, as .md.")],
    signature: Annotated[str, typer.Option(help="Signature with one input of texts.")] = "serving_default",
    server: Annotated[list[str], typer.Option(help=f"One of {', '.join(SERVERS)}; repeatable.")] = list(SERVERS),  # noqa: B006
    concurrency: Annotated[list[int], typer.Option(help="Clients; repeatable.")] = [1, 8, 64],  # noqa: B006
    rows: Annotated[int, typer.Option(min=1, max=MAX_BATCH_SIZE, help="Texts in each request.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, max=100)] = 5,
    seconds: Annotated[float, typer.Option(min=0.2, max=60, help="Time of one measurement.")] = 5.0,
    generator: Annotated[str, typer.Option(help=f"Load generator, one of {', '.join(GENERATORS)}.")] = "h2load",
) -> None:
    """Compares servers of one model on this machine."""
    clean_up_on_sigterm()
    if generator not in GENERATORS:
        raise typer.BadParameter(f"--generator must be one of {', '.join(GENERATORS)}. Received: {generator}")
    lines = read_texts(texts)
    version = newest_version(model)
    plan = Plan(concurrency, rounds, seconds, rows, generator)
    with tempfile.TemporaryDirectory() as folder, Limit(version.resolve(), signature) as limit:
        alias = limit.describe(lines).alias
        job = Job(model.resolve(), version.resolve(), signature, alias, groups(lines, rows), Path(folder))
        result = measure(limit, job, server, lines, plan)
    result = {"model": model.name, "signature": signature, **asdict(plan), "processors": os.cpu_count(), **result}
    output.write_text(json.dumps(result, indent=1))
    table = throughput_table(result, OURS, ECHO)
    output.with_suffix(".md").write_text(table)
    print(table)


if __name__ == "__main__":
    typer.run(main)
