"""Running of a batch: its requests are put under each other, run once, and get their rows back."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from serving.core.batch_arrays import Arrays, fill_up, merge, not_splittable
from serving.core.metrics import Metrics
from serving.core.servable import Program
from serving.errors import FailedPreconditionError, RequestCancelledError, ResourceExhaustedError, ServingError
from serving.settings import BatchingSettings

_log = logging.getLogger("seqline.serving")

# Requests share a batch when the program and, for each input, the dimensions after the first agree.
BatchKey: TypeAlias = tuple[Program, tuple[tuple[int, ...], ...]]


CALLER_GONE = "the caller is gone"
EXPIRED_IN_QUEUE = "Run() timeout exceeded while waiting in batching queue"  # TensorFlow Serving's own words


def nobody_is_gone() -> bool:
    """Of a request whose caller waits in any case."""
    return False


def nobody_notes(_: bool) -> None:
    """Of a request whose caller does not ask where it is."""


@dataclass
class Task:
    """A request, or a piece of one. Without rows it runs by itself; when its caller is gone it does not run.

    Its `queued` is told True when it waits for a batch to run, and False when that begins.
    """

    arrays: Arrays
    rows: int
    deadline: float
    gone: Callable[[], bool] = nobody_is_gone
    queued: Callable[[bool], None] = nobody_notes
    since: float = field(default_factory=time.monotonic)
    answer: Future[list[np.ndarray]] = field(default_factory=Future)


@dataclass
class Batch:
    """Tasks that run together."""

    program: Program
    ripe_at: float
    key: BatchKey | None  # None: closed, takes no more tasks
    tasks: list[Task] = field(default_factory=list)
    rows: int = 0


class BatchExecutor:
    """Runs batches, in the thread that brings them.

    Attributes:
        num_runs: Runs of a model so far.
        num_requests: Requests, or pieces of split ones, that these runs answered.
    """

    def __init__(self, settings: BatchingSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self.num_runs = 0
        self.num_requests = 0

    def execute(self, batch: Batch) -> None:
        """Answers every task of a batch; those whose time ran out, or whose caller is gone, are not run."""
        tasks, now = [], time.monotonic()
        for task in batch.tasks:
            task.queued(False)
            if task.gone():
                task.answer.set_exception(RequestCancelledError(CALLER_GONE))
            elif task.deadline <= now:
                task.answer.set_exception(ResourceExhaustedError(EXPIRED_IN_QUEUE))
            else:
                tasks.append(task)
                self._metrics.queuing_latency.observe(1e6 * (now - task.since), "")
                self._metrics.input_batch_size.observe(task.rows)
        if len(tasks) > 1 and self._run_merged(batch.program, tasks):
            return
        for task in tasks:
            self._run_alone(batch.program, task)

    def _run_alone(self, program: Program, task: Task) -> None:
        settings = program.batching or self._settings
        self.num_requests += 1
        try:
            if task.gone():
                raise RequestCancelledError(CALLER_GONE)
            outputs = self._run(program, settings, task.arrays, task.rows, 0, task.deadline)
        except ServingError as error:
            task.answer.set_exception(error)
            return
        problem = not_splittable(outputs, task.rows) if settings.strict else None
        if problem:
            task.answer.set_exception(FailedPreconditionError(problem))
        else:
            task.answer.set_result(outputs)

    def _run_merged(self, program: Program, tasks: list[Task]) -> bool:
        """Runs all tasks at once. False: it did not work out, each has to run by itself."""
        settings = program.batching or self._settings
        merged = merge([task.arrays for task in tasks], program.feeds, program.pad_values)
        ends = np.cumsum([task.rows for task in tasks])
        rows = int(ends[-1])
        try:
            last = max(task.deadline for task in tasks)
            outputs = self._run(program, settings, merged, rows, rows - tasks[-1].rows, last)
        except ServingError:
            return False
        if problem := not_splittable(outputs, rows):
            if not settings.strict:
                program.splittable = False
                _log.warning("requests are no longer merged for outputs %s: %s", program.fetches, problem)
            return False
        self.num_requests += len(tasks)
        parts = zip(*(np.split(output, ends[:-1]) for output in outputs), strict=True)
        for task, part in zip(tasks, parts, strict=True):
            task.answer.set_result(list(part))
        return True

    def _run(
        self,
        program: Program,
        settings: BatchingSettings,
        arrays: Arrays,
        rows: int,
        first_of_last: int,
        deadline: float,
    ) -> list[np.ndarray]:
        """One run of the model, filled up to an allowed size; gives the outputs of the true rows."""
        self.num_runs += 1
        self._metrics.wrapped_run_count.add()
        filled = fill_up(arrays, rows, settings.allowed_batch_sizes, first_of_last) if rows else list(arrays)
        if not rows:
            return program.run(filled, deadline)
        size = len(filled[0])
        self._metrics.processed_batch_size.observe(size)
        self._metrics.padding_size.observe(size - rows, str(size))
        outputs = program.run(filled, deadline)
        if size == rows:
            return outputs
        if not_splittable(outputs, size):  # then the copies are in the answer
            return program.run(arrays, deadline)
        return [output[:rows] for output in outputs]
