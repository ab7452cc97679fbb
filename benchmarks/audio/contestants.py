"""The generators that are compared, each in a process of its own."""

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.audio.requests import check_clips, request
from benchmarks.audio.rounds import Ask, Series, require_equal_size, require_torch, torch_shape
from benchmarks.audio.workers import Worker
from benchmarks.serving.processes import our_server
from components.requests import InputSpec, signature_specs
from models.description import ModelDescription
from serving.client import Client
from serving.errors import ServingError

OURS = "seqline"
LEAST_SAMPLES = 500
PEER_SHARE = 8
TORCH = {
    "eager": "PyTorch, queues",
    "compile": "PyTorch, queues, torch.compile",
    "full": "PyTorch, full pass",
}


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        rows: Clips generated at the same time.
        samples: Of one measurement of ours, over all rows; peers with queues get an eighth.
        full_pass_samples: Of one measurement of a full pass.
        rounds: Measurements of each.
        threads: Inside one operation, of every contestant.
        served: Whether our server is asked too.
        torch: Keys of `TORCH`.
    """

    rows: list[int]
    samples: int
    full_pass_samples: int
    rounds: int
    threads: int
    served: bool
    torch: list[str]

    def sizes(self, samples: int) -> list[tuple[int, int]]:
        """Rows, and samples of each row."""
        return [(rows, max(LEAST_SAMPLES, samples // rows)) for rows in self.rows]


@dataclass
class Contestants:
    """Starts them.

    Attributes:
        version: Folder of the SavedModel.
        plan: What is measured.
        folder: Room for logs.
        stack: Ends them.
        series: What is to be measured.
        facts: What the workers say of themselves, by name.
    """

    version: Path
    plan: Plan
    folder: Path
    stack: contextlib.ExitStack
    series: list[Series] = field(default_factory=list)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self) -> None:
        """Starts all that the plan wants.

        Raises:
            WorkerError: One does not begin.
            BenchmarkError: PyTorch is not set up, or its model is of another size.
        """
        self._start_ours()
        if self.plan.served:
            self._start_server()
        # What steers a clip costs a full pass next to nothing, and PyTorch nothing at all.
        settings = ModelDescription.read(self.version).settings
        model = settings["model"] | {"condition_on": [], "local_features": "none"}
        once = [(1, self.plan.full_pass_samples)]
        options = {"settings": settings | {"model": model}, "threads": self.plan.threads}
        self._start("seqline, full pass", "keras_generation", options, once)
        options = {"shape": torch_shape(model), "threads": self.plan.threads}
        for way in self.plan.torch:
            sizes = once if way == "full" else self.plan.sizes(self.plan.samples // PEER_SHARE)
            # Compiled anew for each number of rows, a minute each.
            sizes = sizes[:1] if way == "compile" else sizes
            self._start(TORCH[way], "torch_generation", options | {"way": way}, sizes, require_torch())
        require_equal_size(self.facts)

    def _start_ours(self) -> None:
        for name, xla in ((OURS, True), ("seqline, XLA off", False)):
            options = {"folder": str(self.version), "threads": self.plan.threads, "xla": xla}
            self._start(name, "servable_generation", options, self.plan.sizes(self.plan.samples))

    def _start(
        self, name: str, module: str, options: dict[str, Any], sizes: list[tuple[int, int]], python: Path | None = None
    ) -> None:
        log = self.folder / f"{len(self.facts)}.log"
        worker = self.stack.enter_context(Worker(f"benchmarks.audio.{module}", options, log, python))
        self.facts[name] = worker.facts
        for rows, samples in sizes:
            self.series.append(Series(name, rows, rows * samples, Ask(worker, {"rows": rows, "samples": samples})))

    def _start_server(self) -> None:
        base = self.folder / "served"
        base.mkdir()
        (base / "1").symlink_to(self.version.resolve())
        flags = (f"--model_name={base.name}", f"--model_base_path={base}")
        threads = f"--tensorflow_intra_op_parallelism={self.plan.threads}"
        program, address = self.stack.enter_context(our_server(self.folder / "server.log", *flags, threads))
        client = self.stack.enter_context(Client(address, base.name, timeout=300.0, retry_seconds=0.0))
        program.wait_until(lambda: _is_there(client))
        described = ModelDescription.read(self.version)
        specs = signature_specs(client.metadata()["serving_default"])
        for rows, samples in self.plan.sizes(self.plan.samples):
            ask = ServerAsk(client, described, specs, rows, samples)
            self.series.append(Series("seqline over gRPC", rows, rows * samples, ask))


@dataclass(frozen=True)
class ServerAsk:
    """Asks our server for clips."""

    client: Client
    described: ModelDescription
    specs: dict[str, InputSpec]
    rows: int
    samples: int

    def __call__(self) -> dict[str, Any]:
        """Seconds of one request."""
        inputs = request(self.described, self.specs, self.rows, self.samples)
        started = time.perf_counter()
        audio = self.client.predict(inputs)["audio"]
        seconds = time.perf_counter() - started
        check_clips(audio, self.rows, self.samples)
        return {"seconds": seconds}


def _is_there(client: Client) -> bool:
    try:
        return bool(client.versions())
    except ServingError:
        return False
