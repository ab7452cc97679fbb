"""The way of a request between the event loop and the threads where models run.

A small message is read in the loop, which costs less than a change of threads; a large one in a thread. The model runs
in threads of its own, and whoever ran it writes the answer too, unless that is large. So the loop never waits, and
answers questions about health while every model is busy.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np

from serving.core.batch_execution import CALLER_GONE, EXPIRED_IN_QUEUE
from serving.core.batching import BatchRunner
from serving.core.run import Run
from serving.core.servable import TIMED_OUT
from serving.errors import (
    STOPPING,
    DeadlineExceededError,
    RequestCancelledError,
    ResourceExhaustedError,
    UnavailableError,
)
from serving.front.limits import Places
from serving.front.memory import MEMORY

Answer = TypeVar("Answer")
# Large answers are written one after the other, in one thread: Python runs one thread at a time anyway, each would hold
# its lists meanwhile, and the C library keeps the memory of each thread for that thread.
_LIGHT_ELEMENTS = 2**15
_MOST_READERS = 4  # for the same reasons
# Reads a request. What it holds in the stack, such as the lease of a version, stays held until the work has ended.
Read = Callable[[contextlib.ExitStack], Run[Answer]]


class Work:
    """Takes requests through the threads; used from the event loop."""

    def __init__(self, runner: BatchRunner, threads: int, places: Places, loop: asyncio.AbstractEventLoop) -> None:
        """Prepares the way.

        Args:
            runner: Runs the models.
            threads: How many large messages are read at the same time, up to a few.
            places: A request holds one of them until nothing of it is left, be its caller gone or not.
            loop: The event loop.
        """
        self._runner = runner
        self._readers = ThreadPoolExecutor(min(threads, _MOST_READERS), thread_name_prefix="seqline-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="seqline-write")
        self._places = places
        self._loop = loop
        self._ended: deque[_Job] = deque()
        self._woken = False

    @property
    def running(self) -> int:
        """Requests that are not answered, or whose caller left before their work had ended."""
        return self._places.taken

    async def answer(self, read: Read[Answer], deadline: float, is_light: bool) -> Answer:
        """Answers one request.

        Args:
            read: Reads and checks it.
            deadline: When the caller gives up, on the clock of `time.monotonic`.
            is_light: The loop itself may read it.

        Raises:
            ServingError: The request is wrong, the model failed on it, time ran out, or the server has no place.
        """
        self._places.take()
        job = _Job(read, deadline, self._loop.create_future())
        timer = None if deadline == math.inf else self._loop.call_at(deadline, job.time_out)
        try:
            self._begin(job, is_light)
            return await job.answered
        finally:
            # Where nobody waits any more the work ends at its next step.
            job.gone = True
            if timer:
                timer.cancel()

    def stop(self) -> None:
        """Reads and writes nothing large any more."""
        for threads in (self._readers, self._writer):
            threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, job: "_Job", is_light: bool) -> None:
        if is_light:
            self._read(job)
            return
        MEMORY.has_moved()
        try:
            self._readers.submit(self._read, job)
        except RuntimeError:  # the threads have been stopped
            self._end(job, None, UnavailableError(STOPPING))

    def _read(self, job: "_Job") -> None:
        try:
            job.check()
            run = job.read(job.held)
            outputs = self._runner.submit(run.program, run.arrays, job.deadline, job.is_gone, job.note_queue)
        except BaseException as error:
            self._end(job, None, error)
        else:
            outputs.add_done_callback(lambda future: self._write_somewhere(job, run, future))

    def _write_somewhere(self, job: "_Job", run: Run, outputs: Future[list[np.ndarray]]) -> None:
        if not _is_heavy(outputs):
            self._write(job, run, outputs)
            return
        try:
            self._writer.submit(self._write, job, run, outputs)
        except RuntimeError:
            self._end(job, None, UnavailableError(STOPPING))

    def _write(self, job: "_Job", run: Run, outputs: Future[list[np.ndarray]]) -> None:
        answer, error = None, None
        try:
            arrays = outputs.result()
            job.check()
            answer = run.finish(arrays)
        except BaseException as raised:
            error = raised
        self._end(job, answer, error)

    def _end(self, job: "_Job", answer: object, error: BaseException | None) -> None:
        job.held.close()
        job.answer, job.error = answer, error
        self._ended.append(job)
        # One call wakes the loop for all that end meanwhile.
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._ended:
            job = self._ended.popleft()
            self._places.leave()
            if job.answered.done():
                continue
            if job.error is None:
                job.answered.set_result(job.answer)
            else:
                job.answered.set_exception(job.error)


def _is_heavy(outputs: Future[list[np.ndarray]]) -> bool:
    if outputs.cancelled() or outputs.exception() is not None:
        return False
    return sum(array.size for array in outputs.result()) > _LIGHT_ELEMENTS


class _Job(Generic[Answer]):
    """A request under way."""

    __slots__ = ("answer", "answered", "deadline", "error", "gone", "held", "is_queued", "read")

    def __init__(self, read: Read[Answer], deadline: float, answered: asyncio.Future) -> None:
        self.read = read
        self.deadline = deadline
        self.answered = answered
        self.held = contextlib.ExitStack()
        self.gone = False
        self.is_queued = False
        self.answer: object = None
        self.error: BaseException | None = None

    def is_gone(self) -> bool:
        """Whether nobody waits for the answer any more.

        A caller whose time is over may wait still: for the error that says so.
        """
        return self.gone

    def check(self) -> None:
        """Ends what nobody waits for, or waits too long for.

        Raises:
            RequestCancelledError: The caller is gone.
            DeadlineExceededError: The time is over.
        """
        if self.gone:
            raise RequestCancelledError(CALLER_GONE)
        if time.monotonic() >= self.deadline:
            raise DeadlineExceededError(TIMED_OUT)

    def note_queue(self, is_queued: bool) -> None:
        """Notes whether it waits in the queue of batches."""
        self.is_queued = is_queued

    def time_out(self) -> None:
        """Tells the caller that the time is over."""
        if not self.answered.done():
            expired = ResourceExhaustedError(EXPIRED_IN_QUEUE) if self.is_queued else DeadlineExceededError(TIMED_OUT)
            self.answered.set_exception(expired)
