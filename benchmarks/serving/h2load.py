"""The load generator h2load (nghttp2), which takes next to nothing of the processors that it shares with the server.

It has one body for all its requests, so a single prepared request is sent again and again, and each client has a
connection of its own. It knows HTTP statuses alone, and gRPC's stand in trailers; an answer that failed has no body, so
the failed ones are counted by the bytes that came.
"""

import os
import re
import resource
import subprocess
import tempfile
from pathlib import Path

from benchmarks.serving.load import Report, percentile
from benchmarks.serving.processes import BenchmarkError, Target
from benchmarks.serving.requests import ROOT, read_requests

H2LOAD = ROOT / ".h2load" / "usr"
_GRPC_FRAME = 5  # bytes before a message: a flag and its length
_ERRORS = "failed"


def h2load(target: Target, concurrency: int, seconds: float, warm_up: float, expected: int | None = None) -> Report:
    """Asks a server again and again.

    Args:
        target: What is asked; of its requests, the one of median length.
        concurrency: Clients.
        seconds: Time of the measurement.
        warm_up: Time before it.
        expected: Bytes of an answer; None: the server is asked once, to see.

    Raises:
        BenchmarkError: There is no h2load, or it fails.
    """
    requests = sorted(read_requests(target.requests), key=len)
    request = requests[len(requests) // 2]
    expected = len(target.ask(request)) if expected is None else expected
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder) / "body", Path(folder) / "log"
        if target.address.startswith("http://"):
            body.write_bytes(request)
            way = [target.address, "--h1", "--header=content-type: application/json"]
        else:
            body.write_bytes(b"\0" + len(request).to_bytes(4, "big") + request)
            way = [f"http://{target.address}{target.method}", "--header=content-type: application/grpc"]
            way += ["--header=te: trailers"]
            expected += _GRPC_FRAME
        if warm_up:
            _run([*way, f"--data={body}"], concurrency, warm_up)
        before = _children_seconds()
        said = _run([*way, f"--data={body}", f"--log-file={log}"], concurrency, seconds)
        used = _children_seconds() - before
        latencies = [int(line.split("\t")[2]) / 1000 for line in log.read_text().splitlines()]
    return _report(said, sorted(latencies), concurrency, seconds, used / seconds, expected)


def _run(arguments: list[str], concurrency: int, seconds: float) -> str:
    program = H2LOAD / "bin" / "h2load"
    if not program.exists():
        raise BenchmarkError(f"{program} is not there; run sh benchmarks/serving/setup.sh")
    command = [str(program), *arguments, f"--clients={concurrency}", f"--duration={round(1000 * seconds)}ms"]
    environment = os.environ | {"LD_LIBRARY_PATH": str(H2LOAD / "lib" / "x86_64-linux-gnu")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode:
        raise BenchmarkError(f"{' '.join(command)} failed:\n{done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout


def _report(
    said: str, latencies: list[float], concurrency: int, seconds: float, client_cpu: float, expected: int
) -> Report:
    ended = re.search(r"(\d+) done, \d+ succeeded, \d+ failed", said)
    data = re.search(r"\((\d+)\) data", said)
    if not (ended and data):
        raise BenchmarkError(f"h2load says nothing of requests and bytes:\n{said}")
    # Of the requests that the end cut off, parts may have come.
    answered = min(int(data[1]) // expected, int(ended[1]))
    failed = int(ended[1]) - answered
    return Report(
        concurrency=concurrency,
        seconds=seconds,
        answered=answered,
        per_second=answered / seconds,
        p50=percentile(latencies, 0.5),
        p95=percentile(latencies, 0.95),
        p99=percentile(latencies, 0.99),
        errors={_ERRORS: failed} if failed else {},
        client_cpu=client_cpu,
    )


def _children_seconds() -> float:
    """Processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
