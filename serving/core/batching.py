"""Merging of requests that wait at the same time into one run of the model.

A request never pays for its neighbours. Only arrays of equal trailing shapes share a batch, unless padding is asked
for; when a merged run fails, its requests run again one by one and only the guilty one fails; a request that cannot be
merged runs by itself; a larger one than a batch is cut into several. (TensorFlow Serving fails the whole batch in
these cases; `strict` brings back its refusals of single requests.)
"""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from serving.core.batch_arrays import Arrays, piece_sizes, shape_key
from serving.core.batch_execution import CALLER_GONE, Batch, BatchExecutor, BatchKey, Task, nobody_is_gone, nobody_notes
from serving.core.batch_pieces import Pieces, together
from serving.core.metrics import Metrics
from serving.core.servable import TIMED_OUT, Program
from serving.errors import (
    STOPPING,
    DeadlineExceededError,
    InvalidRequestError,
    RequestCancelledError,
    UnavailableError,
)
from serving.settings import BatchingSettings

_log = logging.getLogger("seqline.serving")


class BatchRunner:
    """Runs programs on its own threads, merging what waits.

    Attributes:
        executor: Runs the batches, and counts.
    """

    def __init__(self, settings: BatchingSettings, metrics: Metrics | None = None, max_threads: int = 64) -> None:
        """Prepares the threads.

        Args:
            settings: How requests are merged.
            metrics: Counts the batches.
            max_threads: Requests that run at the same time where they are not merged.
        """
        self._settings = settings
        self._threads = ThreadPoolExecutor(max_threads, thread_name_prefix="seqline-run")
        metrics = metrics or Metrics()
        metrics.add_gauge("batches_waiting", [], lambda: {(): float(len(self._waiting))})
        self.executor = BatchExecutor(settings, metrics)
        self._changed = threading.Condition()
        self._waiting: list[Batch] = []  # oldest first
        self._open: dict[BatchKey, Batch] = {}
        self._enqueued: Counter[Program] = Counter()
        self._stopped = False
        self._started = False

    def run(self, program: Program, arrays: Arrays, deadline: float) -> list[np.ndarray]:
        """Runs a program on the arrays of one request, possibly together with others, and waits for the answer.

        Args:
            program: What to run; its own settings of batching, if any, win over those of the runner.
            arrays: One array per feed of the program.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`.

        Raises:
            ServingError: The request cannot be queued, its time ran out, or the model failed on it.
        """
        answer = self.submit(program, arrays, deadline, here=True)
        try:
            return answer.result(timeout=max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX)))
        except TimeoutError as error:
            raise DeadlineExceededError(TIMED_OUT) from error

    def submit(
        self,
        program: Program,
        arrays: Arrays,
        deadline: float,
        gone: Callable[[], bool] = nobody_is_gone,
        queued: Callable[[bool], None] = nobody_notes,
        here: bool = False,
    ) -> Future[list[np.ndarray]]:
        """The same without waiting.

        Args:
            program: As for `run`. So are `arrays` and `deadline`.
            arrays: See there.
            deadline: See there.
            gone: Whether the caller wants no answer any more; then what has not begun is left out.
            queued: Told True when it waits for a batch to run, and False when that begins.
            here: Run what is not batched in this thread.

        Returns:
            The outputs, or the ServingError that came instead.

        Raises:
            ServingError: The request cannot be queued.
        """
        settings = program.batching or self._settings
        if not settings.enabled:
            return self._run_directly(program, arrays, deadline, gone, here)
        task = Task(arrays, _count_rows(program, arrays, settings), deadline, gone, queued)
        if task.rows > settings.max_batch_size:
            pieces = Pieces(task, settings.largest_run, lambda piece: self._enqueue_one(program, settings, piece))
            pieces.start()
            return pieces.answer
        tasks = self._enqueue(program, settings, task)
        return (
            task.answer
            if tasks == [task]
            else together(task, tasks, lambda whole: self._enqueue_one(program, settings, whole))
        )

    def _run_directly(
        self, program: Program, arrays: Arrays, deadline: float, gone: Callable[[], bool], here: bool
    ) -> Future[list[np.ndarray]]:
        if not here:
            try:
                return self._threads.submit(_run_directly, program, arrays, deadline, gone)
            except RuntimeError as error:  # they take nothing any more
                raise UnavailableError(STOPPING) from error
        answer: Future[list[np.ndarray]] = Future()
        try:
            answer.set_result(_run_directly(program, arrays, deadline, gone))
        except Exception as error:
            answer.set_exception(error)
        return answer

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
                task.answer.set_exception(UnavailableError(STOPPING))
        self._threads.shutdown(wait=False, cancel_futures=True)

    # === Taking requests in ===

    def _enqueue_one(self, program: Program, settings: BatchingSettings, task: Task) -> None:
        self._enqueue(program, settings, task, whole=True)

    def _enqueue(self, program: Program, settings: BatchingSettings, task: Task, whole: bool = False) -> list[Task]:
        """Puts a request into batches, whole or in pieces."""
        with self._changed:
            if self._stopped:
                raise UnavailableError(STOPPING)
            self._start_threads()
            pad = settings.pad_variable_length_inputs
            key = (program, shape_key(task.arrays, pad)) if task.rows else None
            tasks = [task] if whole else self._split(key, settings, task)
            for piece in tasks:
                self._add(program, settings, key, piece)
            self._changed.notify()
            return tasks

    def _split(self, key: BatchKey | None, settings: BatchingSettings, task: Task) -> list[Task]:
        if key is None or not settings.enable_large_batch_splitting:
            return [task]
        batch = self._open.get(key)
        limit, room = settings.largest_run, settings.largest_run - batch.rows if batch else 0
        sizes = piece_sizes(task.rows, room, limit)
        enqueued = self._enqueued[key[0]]
        capacity = room + (settings.max_enqueued_batches - enqueued) * limit
        if task.rows > capacity:
            raise UnavailableError(
                "The batch scheduling queue to which this task was submitted is full; task size is "
                f"{task.rows} but scheduling capacity is only {capacity} (num_enqueued_batches={enqueued}, "
                f"max_enqueued_batches={settings.max_enqueued_batches}, open_batch_size={limit - room if room else 0}, "
                f"max_execution_batch_size={limit})"
            )
        ends = np.cumsum(sizes)[:-1]
        pieces = zip(*(np.split(array, ends) for array in task.arrays), strict=True)
        return [
            Task(piece, size, task.deadline, task.gone, task.queued) for piece, size in zip(pieces, sizes, strict=True)
        ]

    def _add(self, program: Program, settings: BatchingSettings, key: BatchKey | None, task: Task) -> None:
        batch = self._open.get(key) if key else None
        if batch and batch.rows + task.rows > settings.largest_run:
            self._close(batch)
            batch = None
        if batch is None:
            batch = self._new_batch(program, settings, key)
        task.queued(True)
        batch.tasks.append(task)
        batch.rows += task.rows
        if batch.rows == settings.largest_run:
            self._close(batch)

    def _start_threads(self) -> None:
        if not self._started:
            self._started = True
            for index in range(self._settings.num_batch_threads or os.cpu_count() or 1):
                threading.Thread(target=self._work, name=f"seqline-batch-{index}", daemon=True).start()

    def _new_batch(self, program: Program, settings: BatchingSettings, key: BatchKey | None) -> Batch:
        enqueued, limit = self._enqueued[program], settings.max_enqueued_batches
        if enqueued >= limit:
            raise UnavailableError(
                "The batch scheduling queue to which this task was submitted is full; currently "
                f"{enqueued} batches enqueued and max_enqueued_batches is {limit}"
            )
        batch = Batch(program, time.monotonic() + settings.batch_timeout_micros / 1e6, key)
        self._waiting.append(batch)
        self._enqueued[program] += 1
        if key:
            self._open[key] = batch
        return batch

    def _close(self, batch: Batch) -> None:
        if batch.key:
            self._open.pop(batch.key, None)
            batch.key = None

    # === Running batches ===

    def _work(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                self.executor.execute(batch)
            except Exception as error:  # a bug; the callers must not wait for ever, and the thread must live on
                _log.exception("a batch failed in an unexpected way")
                for task in batch.tasks:
                    if not task.answer.done():
                        task.answer.set_exception(error)
            # Else this thread would keep the last model of its life in memory.
            del batch

    def _next_batch(self) -> Batch | None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for batch in self._waiting:
                    if batch.key is None or batch.ripe_at <= now:
                        return self._take(batch)
                self._changed.wait(min(b.ripe_at for b in self._waiting) - now if self._waiting else None)
        return None

    def _take(self, batch: Batch) -> Batch:
        self._close(batch)
        self._waiting.remove(batch)
        self._enqueued[batch.program] -= 1
        if not self._enqueued[batch.program]:
            del self._enqueued[batch.program]
        if self._waiting:  # another thread has to watch over the rest while this one runs
            self._changed.notify()
        return batch


def _run_directly(program: Program, arrays: Arrays, deadline: float, gone: Callable[[], bool]) -> list[np.ndarray]:
    if gone():
        raise RequestCancelledError(CALLER_GONE)
    return program.run(arrays, deadline)


def _count_rows(program: Program, arrays: Arrays, settings: BatchingSettings) -> int:
    """Rows of a request that may be merged, or cut where they are too many; 0 for one that runs by itself."""
    problem = None
    sizes = {array.shape[0] for array in arrays if array.ndim}
    if not arrays:
        problem = "Batching Run() must have at least one input tensor"
    elif any(array.ndim == 0 for array in arrays):
        problem = "Batching Run() input tensors must have at least one dimension"
    elif len(sizes) > 1:
        problem = "Batching Run() input tensors must have equal 0th-dimension size"
    elif settings.strict and max(sizes) > settings.max_batch_size:
        problem = f"Task size {max(sizes)} is larger than maximum input batch size {settings.max_batch_size}"
    if problem and settings.strict:
        raise InvalidRequestError(problem)
    return 0 if problem or not program.splittable else sizes.pop()
