"""Processes that wait until they are asked to measure: one at a time works, the others stand still.

Python's own modules alone: the peers' environment imports this too.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 600.0


class WorkerError(Exception):
    """A worker cannot measure; the message says why."""


class Worker:
    """`python -m module` with options, in a process of its own; usable as a context manager that ends it."""

    def __init__(self, module: str, options: dict[str, Any], log: Path, python: Path | None = None) -> None:
        """Starts it; what it prints goes to the file `log`.

        Args:
            module: Calls `answer_jobs`.
            options: Arguments for what it measures, as JSON has them.
            log: File.
            python: Interpreter; None for the one that runs this.

        Raises:
            WorkerError: It could not begin.
        """
        self._log = log
        command = [str(python or sys.executable), "-m", module, json.dumps(options)]
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        try:
            self.facts = self._answer()
        except BaseException:
            self.stop()
            raise

    def ask(self, **job: Any) -> dict[str, Any]:
        """What the worker measured.

        Raises:
            WorkerError: It failed, or took more than ten minutes.
        """
        if self._process.stdin is None:
            raise WorkerError("the worker has no input")
        try:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError(self._last_words()) from error
        return self._answer()

    def stop(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self) -> dict[str, Any]:
        limit = threading.Timer(LONGEST_SECONDS, self._process.kill)
        limit.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else ""
        finally:
            limit.cancel()
        answer = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def _last_words(self) -> str:
        return f"a worker ended; its last words:\n{self._log.read_text(errors='replace')[-2000:]}"


def answer_jobs(make: Callable[..., Callable[..., dict[str, Any]]]) -> None:
    """The worker's side: makes what measures from the options, then calls it with each line's job.

    Args:
        make: Its result may have a dict `facts`, which becomes the worker's.
    """
    # Libraries print what they like; the answers keep a way of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(answer: dict[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    measure = make(**json.loads(sys.argv[1]))
    tell(getattr(measure, "facts", {}))
    for line in sys.stdin:
        try:
            tell(measure(**json.loads(line)))
        except Exception as error:
            tell({"error": f"{type(error).__name__}: {error}"[:2000]})
