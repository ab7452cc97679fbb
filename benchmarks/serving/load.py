"""A bounded load generator: so many clients on the loopback, each asking again as soon as it is answered.

    python -m benchmarks.serving.load 127.0.0.1:8500 --requests FILE --concurrency 8 --seconds 5

It runs in a process of its own, sends bytes that were prepared before, decodes no answer, and prints a report as JSON.
SIGTERM ends it early, with the report of what was sent so far. A line before the report says that it has begun.
"""

import asyncio
import contextlib
import itertools
import json
import math
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import grpc
import typer

from benchmarks.serving.requests import read_requests

PREDICT = "/tensorflow.serving.PredictionService/Predict"
STARTED = "started"  # the line before the report: SIGTERM is understood from now on
# Sends one request; gives the name of the status.
Call = Callable[[bytes], Awaitable[str]]
_PAUSE_AFTER_ERROR_SECONDS = 0.01  # a server that refuses everything must not be asked a million times


@dataclass(frozen=True)
class Report:
    """What a run of the generator saw. Latencies are those of answered requests, in milliseconds.

    Attributes:
        answered: Requests answered OK.
        errors: Name of a status to the number of requests that ended with it.
        client_cpu: Share of one processor that the generator itself used.
    """

    concurrency: int
    seconds: float
    answered: int
    per_second: float
    p50: float
    p95: float
    p99: float
    errors: dict[str, int]
    client_cpu: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all is not above (nearest rank); NaN of nothing."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else math.nan


async def drive(
    call: Call, requests: Sequence[bytes], concurrency: int, seconds: float, limit: int, stopped: asyncio.Event
) -> Report:
    """Lets `concurrency` clients take turns through the requests until time, limit or `stopped` ends it."""
    latencies: list[float] = []
    errors: Counter[str] = Counter()
    turns = itertools.islice(itertools.cycle(requests), limit)
    started, used = time.perf_counter(), time.process_time()

    async def client() -> None:
        while time.perf_counter() - started < seconds and not stopped.is_set():
            if (request := next(turns, None)) is None:
                return
            began = time.perf_counter()
            status = await call(request)
            if status == "OK":
                latencies.append(1000 * (time.perf_counter() - began))
            else:
                errors[status] += 1
                await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)

    await asyncio.gather(*(client() for _ in range(concurrency)))
    took, used = time.perf_counter() - started, time.process_time() - used
    latencies.sort()
    return Report(
        concurrency=concurrency,
        seconds=took,
        answered=len(latencies),
        per_second=len(latencies) / took,
        p50=percentile(latencies, 0.5),
        p95=percentile(latencies, 0.95),
        p99=percentile(latencies, 0.99),
        errors=dict(errors),
        client_cpu=used / took,
    )


@contextlib.asynccontextmanager
async def over_grpc(address: str, method: str, timeout: float) -> AsyncIterator[Call]:
    """Calls of a gRPC method, bytes in and bytes out, over one connection."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(address, options) as channel:
        ask = channel.unary_unary(method)

        async def call(request: bytes) -> str:
            try:
                await ask(request, timeout=timeout)
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        yield call


@contextlib.asynccontextmanager
async def over_http(url: str, timeout: float) -> AsyncIterator[Call]:
    """Posts of JSON, over as many kept connections as there are clients."""
    connector, limit = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=timeout)
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=connector, timeout=limit, headers=headers) as session:

        async def call(request: bytes) -> str:
            try:
                async with session.post(url, data=request) as response:
                    await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                return type(error).__name__
            return "OK" if response.status == 200 else f"HTTP {response.status}"

        yield call


def require_loopback(target: str) -> None:
    """Refuses a target that is not this machine.

    Raises:
        typer.BadParameter: It is another one.
    """
    host = target.removeprefix("http://").partition("/")[0].rpartition(":")[0]
    if host != "127.0.0.1":
        raise typer.BadParameter(f"load is made for 127.0.0.1 alone, got {host or target!r}; run it on that machine")


def connect(target: str, method: str, timeout: float) -> contextlib.AbstractAsyncContextManager[Call]:
    """The way to a target."""
    return over_http(target, timeout) if target.startswith("http://") else over_grpc(target, method, timeout)


async def _run(
    way: contextlib.AbstractAsyncContextManager[Call], warm_up: float, seconds: float, **load: Any
) -> Report:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print(STARTED, flush=True)
    async with way as call:
        if warm_up:
            await drive(call, seconds=warm_up, stopped=stopped, **load)
        return await drive(call, seconds=seconds, stopped=stopped, **load)


def main(
    target: Annotated[str, typer.Argument(help="127.0.0.1:PORT for gRPC, http://127.0.0.1:PORT/PATH for JSON.")],
    requests: Annotated[Path, typer.Option(help="File of prepared requests.")],
    concurrency: Annotated[int, typer.Option(min=1, max=1024, help="Clients.")] = 1,
    seconds: Annotated[float, typer.Option(min=0, max=3600, help="Longest time, the warm-up apart.")] = 5.0,
    limit: Annotated[int, typer.Option(min=1, max=10_000_000, help="Most requests.")] = 1_000_000,
    warm_up: Annotated[float, typer.Option(min=0, max=60, help="Seconds before the counting starts.")] = 0.0,
    timeout: Annotated[float, typer.Option(min=0.001, max=600, help="Deadline of each request, in seconds.")] = 30.0,
    method: Annotated[str, typer.Option(help="Full name of the gRPC method.")] = PREDICT,
) -> None:
    """Asks a server on this machine again and again; prints requests per second, latencies and errors as JSON."""
    require_loopback(target)
    load = {"requests": read_requests(requests), "concurrency": concurrency, "limit": limit}
    print(json.dumps(asdict(asyncio.run(_run(connect(target, method, timeout), warm_up, seconds, **load)))))


if __name__ == "__main__":
    typer.run(main)
