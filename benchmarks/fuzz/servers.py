"""The servers that are fuzzed, each in a process of its own."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from benchmarks.serving.processes import Program, free_port, our_server
from tests.serving.fuzz.campaign import Target
from tests.serving.fuzz.known_good import KnownGood
from tests.serving.fuzz.models import save_models

# A message of a few bytes may ask for a tensor of this size.
_MAX_MESSAGE_BYTES = 2**22
_SURPRISES = ("in an unexpected way", "Traceback (most recent call last)", "Fatal Python error", "Check failed")
# gRPC's own words about bytes that are no message; the caller is told.
_EXPECTED = "Exception deserializing message!"


@dataclass(frozen=True)
class Servers:
    """Running servers.

    Attributes:
        target: Where they listen.
        programs: What they are for, and their processes.
        logs: What they wrote.
    """

    target: Target
    programs: dict[str, Program]
    logs: Sequence[Path]

    def resident_megabytes(self) -> dict[str, float]:
        """Memory of each."""
        return {name: program.resident_bytes() / 2**20 for name, program in self.programs.items()}

    def ended(self) -> list[str]:
        """Those that no longer run."""
        return [name for name, program in self.programs.items() if not program.is_running()]

    def surprises(self) -> list[str]:
        """Lines of the logs that tell of bugs."""
        return [line for log in self.logs for line in _surprises(log.read_text(errors="replace").splitlines())]


@contextlib.contextmanager
def start_servers(folder: Path) -> Iterator[Servers]:
    """Starts one server for all requests but changes of the configuration, and one for these.

    Args:
        folder: Room for models and logs.
    """
    config, rest_port = save_models(folder / "models"), free_port()
    base_path = folder / "models" / "line"
    logs = folder / "fuzzed.log", folder / "reloaded.log"
    fuzzed = (f"--model_config_file={config}", "--labels_after_load", f"--rest_api_port={rest_port}")
    reloaded = (f"--model_base_path={base_path}", "--model_name=line", "--max_num_load_retries=1")
    common = (
        "--enable_batching",
        "--enable_grpc_healthcheck_service",
        f"--max_message_bytes={_MAX_MESSAGE_BYTES}",
        f"--max_tensor_bytes={_MAX_MESSAGE_BYTES}",
    )
    with (
        our_server(logs[0], *fuzzed, *common) as (program, address),
        our_server(logs[1], *reloaded, *common, "--load_retry_interval_micros=100000") as (other, other_address),
    ):
        servers = Servers(
            Target(address, rest_port, other_address, str(base_path)), {"fuzzed": program, "reloaded": other}, logs
        )
        program.wait_until(lambda: _answers(servers.target))
        other.wait_until(lambda: _accepts(other_address))
        yield servers


def _answers(target: Target) -> bool:
    known_good = KnownGood(target.address, target.rest_port)
    try:
        return known_good.check() is None
    finally:
        known_good.close()


def _accepts(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1.0)
        except grpc.FutureTimeoutError:
            return False
    return True


def _surprises(lines: Sequence[str]) -> list[str]:
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if _EXPECTED not in before and any(words in line for words in _SURPRISES)
    ]
