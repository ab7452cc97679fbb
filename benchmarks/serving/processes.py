"""Programs beside this one: started, waited for, asked once, paused, stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

from benchmarks.serving.load import PREDICT, STARTED, Report
from benchmarks.serving.requests import ROOT


class BenchmarkError(Exception):
    """Something cannot be measured; the message says why."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_up_on_sigterm() -> None:
    """Lets SIGTERM end this process as an exception does, so that the programs it started end too."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


class Program:
    """A program with all its workers; usable as a context manager that stops them."""

    def __init__(self, command: Sequence[object], log: Path, folder: Path = ROOT, **environment: str) -> None:
        """Starts it; what it says goes to the file `log`."""
        self._log = log
        self._command = " ".join(str(part) for part in command)
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its workers get its signals too
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 300.0) -> None:
        """Waits until a condition holds.

        Raises:
            BenchmarkError: The program ended before, or time ran out.
        """
        end = time.monotonic() + seconds
        while not ready():
            if self._process.poll() is not None or time.monotonic() > end:
                said = self._log.read_text(errors="replace")[-2000:]
                raise BenchmarkError(f"{self._command} is not ready; its last words:\n{said}")
            time.sleep(0.1)

    def resident_bytes(self) -> int:
        """Memory of its first process."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def pause(self) -> None:
        """Stops it on the spot, so that it takes no time from others."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends the pause."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.go_on()
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):  # workers that outlived it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@dataclass(frozen=True)
class Target:
    """Where a server listens, and the file of requests in its protocol.

    Attributes:
        address: 127.0.0.1:PORT for gRPC, http://127.0.0.1:PORT/PATH for JSON.
        requests: File of prepared requests.
        method: Full name of the gRPC method.
    """

    address: str
    requests: Path
    method: str = PREDICT

    def ask(self, request: bytes, timeout: float = 10.0) -> bytes:
        """The answer to one request.

        Raises:
            grpc.RpcError: A gRPC server did not answer it.
            OSError: An HTTP server did not.
        """
        if self.address.startswith("http://"):
            post = urllib.request.Request(self.address, request, {"Content-Type": "application/json"})
            with urllib.request.urlopen(post, timeout=timeout) as response:
                return response.read()
        with grpc.insecure_channel(self.address) as channel:
            return channel.unary_unary(self.method)(request, timeout=timeout)

    def answers(self, request: bytes) -> bool:
        """Whether the server is there."""
        try:
            self.ask(request)
        except (grpc.RpcError, OSError):
            return False
        return True


class Load:
    """A load generator at work; there, it has begun."""

    def __init__(self, target: Target, concurrency: int, seconds: float, warm_up: float = 0.0) -> None:
        self._longest = seconds + warm_up + 60.0
        options = {"requests": target.requests, "concurrency": concurrency, "seconds": seconds, "warm-up": warm_up}
        command = [sys.executable, "-m", "benchmarks.serving.load", target.address, f"--method={target.method}"]
        command += [f"--{name}={value}" for name, value in options.items()]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if self._process.stdout and self._process.stdout.readline().strip() != STARTED:
            raise BenchmarkError(f"the load generator did not start: {' '.join(command)}")

    def report(self) -> Report:
        """Waits for its end."""
        try:
            written, _ = self._process.communicate(timeout=self._longest)
        finally:
            self._process.kill()
        return Report(**json.loads(written))

    def stop(self) -> Report:
        """Ends it early."""
        self._process.terminate()
        return self.report()


def python_load(target: Target, concurrency: int, seconds: float, warm_up: float) -> Report:
    """What `Load` saw to its end."""
    return Load(target, concurrency, seconds, warm_up).report()


@contextlib.contextmanager
def our_server(log: Path, *flags: str) -> Iterator[tuple[Program, str]]:
    """`python -m serving` on a free port; gives the program and its address."""
    port = free_port()
    command = [sys.executable, "-m", "serving", f"--port={port}", "--host=127.0.0.1", *flags]
    with Program(command, log) as program:
        yield program, f"127.0.0.1:{port}"
