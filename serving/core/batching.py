"""Merging of requests that wait at the same time into one run of the model.

A request never pays for its neighbours. Only arrays of equal trailing shapes share a batch; when a merged run fails,
its requests run again one by one and only the guilty one fails; a request that cannot be merged runs by itself.
(TensorFlow Serving fails the whole batch in these cases; `strict` brings back its refusals of single requests.)
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from serving.core.servable import Program
from serving.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidRequestError,
    ResourceExhaustedError,
    ServingError,
    UnavailableError,
)
from serving.settings import BatchingSettings

_log = logging.getLogger("seqline.serving")

Arrays = Sequence[np.ndarray]
# Requests share a batch when the program and, for each input, the dimensions after the first agree.
_BatchKey = tuple[Program, tuple[tuple[int, ...], ...]]


@dataclass
class _Task:
    arrays: Arrays
    rows: int
    deadline: float
    answer: Future[list[np.ndarray]] = field(default_factory=Future)


@dataclass
class _Batch:
    program: Program
    ripe_at: float
    key: _BatchKey | None  # None: closed, takes no more tasks
    tasks: list[_Task] = field(default_factory=list)
    rows: int = 0


class BatchRunner:
    """Runs programs on its own threads, merging what waits.

    Attributes:
        num_runs: Runs of a model so far.
        num_requests: Requests that these runs answered.
    """

    def __init__(self, settings: BatchingSettings) -> None:
        self._settings = settings
        self._changed = threading.Condition()
        self._waiting: list[_Batch] = []  # oldest first
        self._open: dict[_BatchKey, _Batch] = {}
        self._enqueued: Counter[Program] = Counter()
        self._stopped = False
        self.num_runs = 0
        self.num_requests = 0
        self._started = False

    def run(self, program: Program, arrays: Arrays, deadline: float) -> list[np.ndarray]:
        """Runs a program on the arrays of one request, possibly together with others, and waits for the answer.

        Args:
            program: What to run.
            arrays: One array per feed of the program.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`.

        Raises:
            ServingError: The request cannot be queued, its time ran out, or the model failed on it.
        """
        task = _Task(arrays, self._count_rows(program, arrays), deadline)
        self._enqueue(program, task)
        try:
            return task.answer.result(timeout=max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX)))
        except TimeoutError as error:
            raise DeadlineExceededError("Timed out waiting for notification") from error

    def stop(self) -> None:
        """Ends the threads; what still waits is answered with an error."""
        with self._changed:
            self._stopped = True
            left, self._waiting = self._waiting, []
            self._open.clear()
            self._enqueued.clear()
            self._changed.notify_all()
        for batch in left:
            for task in batch.tasks:
                task.answer.set_exception(UnavailableError("the server is stopping"))

    # === Taking requests in ===

    def _count_rows(self, program: Program, arrays: Arrays) -> int:
        """Rows of a request that may be merged; 0 for one that runs by itself."""
        problem = None
        sizes = {array.shape[0] for array in arrays if array.ndim}
        if not arrays:
            problem = "Batching Run() must have at least one input tensor"
        elif any(array.ndim == 0 for array in arrays):
            problem = "Batching Run() input tensors must have at least one dimension"
        elif len(sizes) > 1:
            problem = "Batching Run() input tensors must have equal 0th-dimension size"
        elif max(sizes) > self._settings.max_batch_size:
            problem = f"Task size {max(sizes)} is larger than maximum input batch size {self._settings.max_batch_size}"
        if problem and self._settings.strict:
            raise InvalidRequestError(problem)
        return 0 if problem or not program.splittable else sizes.pop()

    def _enqueue(self, program: Program, task: _Task) -> None:
        key = (program, tuple(array.shape[1:] for array in task.arrays)) if task.rows else None
        with self._changed:
            if self._stopped:
                raise UnavailableError("the server is stopping")
            self._start_threads()
            batch = self._open.get(key) if key else None
            if batch and batch.rows + task.rows > self._settings.max_batch_size:
                self._close(batch)
                batch = None
            if batch is None:
                batch = self._new_batch(program, key)
            batch.tasks.append(task)
            batch.rows += task.rows
            if batch.rows == self._settings.max_batch_size:
                self._close(batch)
            self._changed.notify()

    def _start_threads(self) -> None:
        if not self._started:
            self._started = True
            for index in range(self._settings.num_batch_threads or os.cpu_count() or 1):
                threading.Thread(target=self._work, name=f"seqline-batch-{index}", daemon=True).start()

    def _new_batch(self, program: Program, key: _BatchKey | None) -> _Batch:
        enqueued, limit = self._enqueued[program], self._settings.max_enqueued_batches
        if enqueued >= limit:
            raise UnavailableError(
                "The batch scheduling queue to which this task was submitted is full; currently "
                f"{enqueued} batches enqueued and max_enqueued_batches is {limit}"
            )
        batch = _Batch(program, time.monotonic() + self._settings.batch_timeout_micros / 1e6, key)
        self._waiting.append(batch)
        self._enqueued[program] += 1
        if key:
            self._open[key] = batch
        return batch

    def _close(self, batch: _Batch) -> None:
        if batch.key:
            self._open.pop(batch.key, None)
            batch.key = None

    # === Running batches ===

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                self._execute(batch)
            except Exception as error:  # a bug; the callers must not wait for ever, and the thread must live on
                _log.exception("a batch failed in an unexpected way")
                for task in batch.tasks:
                    if not task.answer.done():
                        task.answer.set_exception(error)
            # Else this thread would keep the last model of its life in memory.
            del batch

    def _next_batch(self) -> _Batch | None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for batch in self._waiting:
                    if batch.key is None or batch.ripe_at <= now:
                        return self._take(batch)
                self._changed.wait(self._waiting[0].ripe_at - now if self._waiting else None)
        return None

    def _take(self, batch: _Batch) -> _Batch:
        self._close(batch)
        self._waiting.remove(batch)
        self._enqueued[batch.program] -= 1
        if not self._enqueued[batch.program]:
            del self._enqueued[batch.program]
        if self._waiting:  # another thread has to watch over the rest while this one runs
            self._changed.notify()
        return batch

    def _execute(self, batch: _Batch) -> None:
        tasks, now = [], time.monotonic()
        for task in batch.tasks:
            if task.deadline > now:
                tasks.append(task)
            else:
                task.answer.set_exception(
                    ResourceExhaustedError("Run() timeout exceeded while waiting in batching queue")
                )
        if len(tasks) > 1 and self._run_merged(batch.program, tasks):
            return
        for task in tasks:
            self._run_alone(batch.program, task)

    def _run_alone(self, program: Program, task: _Task) -> None:
        if task.answer.done():
            return
        self.num_runs += 1
        self.num_requests += 1
        try:
            outputs = program.run(task.arrays)
        except ServingError as error:
            task.answer.set_exception(error)
            return
        problem = _not_splittable(outputs, task.rows) if self._settings.strict else None
        if problem:
            task.answer.set_exception(FailedPreconditionError(problem))
        else:
            task.answer.set_result(outputs)

    def _run_merged(self, program: Program, tasks: list[_Task]) -> bool:
        """Runs all tasks at once. False: it did not work out, each has to run by itself."""
        merged = [np.concatenate(column) for column in zip(*(task.arrays for task in tasks), strict=True)]
        ends = np.cumsum([task.rows for task in tasks])
        self.num_runs += 1
        try:
            outputs = program.run(merged)
        except ServingError:
            return False
        if problem := _not_splittable(outputs, int(ends[-1])):
            if not self._settings.strict:
                program.splittable = False
                _log.warning("requests are no longer merged for outputs %s: %s", program.fetches, problem)
            return False
        self.num_requests += len(tasks)
        parts = zip(*(np.split(output, ends[:-1]) for output in outputs), strict=True)
        for task, part in zip(tasks, parts, strict=True):
            task.answer.set_result(list(part))
        return True


def _not_splittable(outputs: Sequence[np.ndarray], rows: int) -> str | None:
    """Why outputs cannot be given back to the requests row by row; None when they can."""
    if any(output.ndim == 0 for output in outputs):
        return "Batched output tensor has 0 dimensions"
    if any(output.shape[0] != rows for output in outputs):
        return (
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes "
            "of the input tensors"
        )
    return None
