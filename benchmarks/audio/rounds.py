"""What both commands share: contestants that take turns, and the medians of their rounds."""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.audio.workers import ROOT, Worker, WorkerError
from benchmarks.serving.processes import BenchmarkError
from serving.errors import ServingError

TORCH_PYTHON = ROOT / ".venv-torch" / "bin" / "python"


@dataclass(frozen=True)
class Ask:
    """Asks a worker for one measurement."""

    worker: Worker
    job: dict[str, Any]

    def __call__(self) -> dict[str, Any]:
        """Has `seconds`, and `first_seconds` where a measurement warms up by itself."""
        return self.worker.ask(**self.job)


@dataclass
class Series:
    """One contestant's rounds at one size.

    Attributes:
        name: Of the contestant.
        rows: Clips at the same time.
        samples: Audio samples of one measurement, over all rows.
        measure: Gives `seconds` of one measurement.
        first_seconds: Of the first call, which traces and compiles.
        rounds: Samples per second, each round.
        refusal: Why it cannot be measured; empty where it can.
    """

    name: str
    rows: int
    samples: int
    measure: Callable[[], dict[str, Any]]
    first_seconds: float = 0.0
    rounds: list[float] = field(default_factory=list)
    refusal: str = ""

    def begin(self) -> None:
        """The first call, apart."""
        try:
            answer = self.measure()
        except (WorkerError, ServingError) as error:
            self.refusal = str(error)
            return
        self.first_seconds = answer.get("first_seconds", answer["seconds"])

    def go_on(self) -> None:
        """One more round, unless it refused the first call."""
        if not self.refusal:
            self.rounds.append(self.samples / self.measure()["seconds"])

    def summary(self) -> dict[str, Any]:
        """The median (0 for a refusal) and the rounds themselves."""
        names = ("name", "rows", "samples", "first_seconds", "refusal", "rounds")
        facts = {name: getattr(self, name) for name in names}
        return facts | {"per_second": statistics.median(self.rounds) if self.rounds else 0.0}


def take_turns(series: Sequence[Series], rounds: int) -> Iterator[None]:
    """Runs all rounds, each beginning with another contestant; yields after each measurement."""
    for one in series:
        one.begin()
        yield
    for turn in range(rounds):
        start = turn * len(series) // rounds
        for one in [*series[start:], *series[:start]]:
            one.go_on()
            yield


def torch_shape(model: dict[str, Any]) -> dict[str, Any]:
    """The `model` section as arguments of `torch_wavenet.WaveNet`."""
    dilations = [2**depth for _ in range(model["num_stacks"]) for depth in range(model["dilation_depth"])]
    return {name: model[name] for name in ("hidden_dim", "skip_dim", "kernel_size")} | {"dilations": dilations}


def require_torch() -> Path:
    """The interpreter of the peers' environment.

    Raises:
        BenchmarkError: It is not there.
    """
    if not TORCH_PYTHON.exists():
        raise BenchmarkError("PyTorch is not set up: run `sh benchmarks/audio/setup.sh`, or leave it out by --no-torch")
    return TORCH_PYTHON


def require_equal_size(facts: dict[str, dict[str, Any]]) -> None:
    """Makes sure that the models are of one shape.

    Raises:
        BenchmarkError: They have different numbers of parameters.
    """
    found = {name: one["parameters"] for name, one in facts.items() if "parameters" in one}
    if len(set(found.values())) > 1:
        raise BenchmarkError(f"the models must have the same number of parameters, got {found}")


def times_as_fast(figures: Sequence[dict[str, Any]], one: dict[str, Any], ours: str) -> str:
    """How many times as fast as this one ours is, with the same rows."""
    own = [other["per_second"] for other in figures if (other["name"], other["rows"]) == (ours, one["rows"])]
    return f"{own[0] / one['per_second']:.2f}x" if own and one["per_second"] else "-"


def refusals(figures: Sequence[dict[str, Any]]) -> list[str]:
    """A line for each figure that could not be had."""
    return [f"{one['name']}, {one['rows']} refused: {one['refusal']}" for one in figures if one["refusal"]]
