"""Continuous batching: texts join and leave the running batch between any two steps (Yu et al., 2022, section 4).

There a prompt is read within the batch of those that draw. Here it is read by a signature and a thread of its own, so
a long one holds nobody up.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

from serving.core.streaming.metrics import StreamMetrics
from serving.core.streaming.programs import StreamPrograms
from serving.core.streaming.rows import GOING, StackedRows, State
from serving.core.streaming.stream import Stream
from serving.errors import STOPPING, InternalFailureError, ResourceExhaustedError, ServingError, UnavailableError
from serving.settings import StreamingSettings

_log = logging.getLogger("seqline.serving")
# Reasons beside those of the model.
CANCELLED, FAILED = "cancelled", "failed"
# Prompts are read together up to so many bytes more than the first of them has, and twice its length.
_LIKE_BYTES = 64


class ContinuousBatch:
    """The texts under way of one loaded version. It lives from the first of them to when none is left."""

    def __init__(
        self,
        programs: StreamPrograms,
        settings: StreamingSettings,
        metrics: StreamMetrics,
        on_end: Callable[[], None],
    ) -> None:
        """Starts the two threads.

        Args:
            programs: Of the version.
            settings: Limits.
            metrics: Counts.
            on_end: Called when no text is left.
        """
        self._programs = programs
        self._settings = settings
        self._metrics = metrics
        self._on_end = on_end
        self._changed = threading.Condition()
        self._waiting: deque[Stream] = deque()
        self._ready: list[tuple[Stream, State]] = []
        # Of the thread of the steps alone.
        self._joining: list[tuple[Stream, State]] = []
        # Rows that are taken: by texts that are being read, ready or running.
        self._taken = 0
        self._ended = False
        # Why, where something failed; the first of several.
        self._error: ServingError | None = None
        self._rows: StackedRows[Stream] = StackedRows(settings.max_rows)
        self._threads = [
            threading.Thread(target=self._guard, args=[work], name=f"seqline-stream-{name}", daemon=True)
            for name, work in (("read", self._read), ("step", self._step_on))
        ]
        for thread in self._threads:
            thread.start()

    def add(self, stream: Stream) -> bool:
        """Takes a text on; False where the batch has ended, and another has to be made.

        Raises:
            ResourceExhaustedError: Too many wait.
        """
        with self._changed:
            if self._ended:
                return False
            free = self._settings.max_rows - self._taken
            if len(self._waiting) >= free + self._settings.max_waiting:
                self._drop_gone()
            if len(self._waiting) >= free + self._settings.max_waiting:
                raise ResourceExhaustedError(
                    f"{self._taken} texts are written and {len(self._waiting)} wait, and no more may wait "
                    "(serving.streaming.max_rows, max_waiting); try again later"
                )
            self._waiting.append(stream)
            self._changed.notify_all()
            return True

    def stop(self) -> None:
        """Ends all texts and the threads."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    @property
    def ended(self) -> bool:
        """Whether no text is left, and none is taken on."""
        return self._ended

    @property
    def num_running(self) -> int:
        """Rows that are taken."""
        return self._taken

    @property
    def num_waiting(self) -> int:
        """Texts without a row."""
        return len(self._waiting)

    # === Ends ===

    def _guard(self, work: Callable[[], None]) -> None:
        error: ServingError | None = None
        try:
            work()
        except Exception as raised:  # nobody must wait for ever
            error = _meaning_of(raised)
        with self._changed:
            self._ended = True
            self._error = self._error or error
            left = [*self._waiting, *(stream for stream, _ in self._ready)]
            self._waiting.clear()
            self._ready.clear()
            self._changed.notify_all()
        if threading.current_thread() is self._threads[1]:
            left += [stream for stream, _ in self._joining]
            left += [stream for _, stream in self._rows.occupied()]
            self._on_end()
        self._fail(left, self._error or UnavailableError(STOPPING))

    def _fail(self, streams: Iterable[Stream], error: ServingError) -> None:
        for stream in streams:
            self._metrics.end(FAILED)
            stream.fail(error)
            stream.release()

    def _give_back(self, rows: int) -> None:
        """Frees rows; the batch ends with its last text."""
        with self._changed:
            self._taken -= rows
            self._ended = self._ended or not (self._taken or self._waiting)
            self._changed.notify_all()

    def _drop_gone(self) -> None:
        for stream in [stream for stream in self._waiting if stream.gone]:
            self._waiting.remove(stream)
            self._metrics.end(CANCELLED)
            stream.release()

    # === Reading prompts ===

    def _read(self) -> None:
        while streams := self._next_to_read():
            read = list(self._prefilled(streams))
            with self._changed:
                self._ready += read
                self._changed.notify_all()
            if len(read) < len(streams):
                self._give_back(len(streams) - len(read))

    def _next_to_read(self) -> list[Stream]:
        """Texts that begin, with a row taken for each; none where the batch has ended."""
        with self._changed:
            chosen: list[Stream] = []
            while not (self._ended or chosen):
                self._changed.wait_for(lambda: self._ended or (self._waiting and self._taken < self._settings.max_rows))
                self._drop_gone()
                chosen = self._take_alike()
                self._give_back(0)  # the last of all may have gone
            return chosen

    def _take_alike(self) -> list[Stream]:
        chosen: list[Stream] = []
        longest = 0
        while not self._ended and self._waiting and self._taken < self._settings.max_rows:
            size = self._waiting[0].num_bytes
            if chosen and size > longest:
                break
            longest = longest or 2 * size + _LIKE_BYTES
            chosen.append(self._waiting.popleft())
            self._taken += 1
        return chosen

    def _prefilled(self, streams: list[Stream]) -> list[tuple[Stream, State]]:
        """Texts with their states; those that the model refuses end here."""
        try:
            return list(zip(streams, self._programs.prefill([stream.inputs for stream in streams]), strict=True))
        except Exception as error:
            if len(streams) == 1:
                self._fail(streams, _meaning_of(error))
                return []
        # One that is refused does not fail its neighbours.
        return [pair for stream in streams for pair in self._prefilled([stream])]

    # === Drawing ===

    def _step_on(self) -> None:
        while self._has_rows():
            with self._changed:
                self._joining, self._ready = self._ready, []
            while self._joining:
                self._rows.join(*self._joining[0])
                del self._joining[0]
            self._leave([row for row, stream in self._rows.occupied() if stream.gone], CANCELLED)
            if self._rows.owners:
                self._step()

    def _has_rows(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._ready or self._rows.owners)
            return not self._ended

    def _step(self) -> None:
        outputs = self._programs.step(self._rows.state)
        self._rows.follow(outputs)
        self._metrics.step()
        ended = []
        for row, stream in self._rows.occupied():
            text, reason = (outputs[name][row].decode("utf-8", "replace") for name in ("text", "reason"))
            stream.advance(text, reason, float(outputs["score"][row]), int(outputs["num_drawn"][row]))
            if not outputs[GOING][row]:
                ended.append(row)
        for row in ended:
            self._metrics.end(outputs["reason"][row].decode(), int(outputs["num_drawn"][row]))
        self._leave(ended)

    def _leave(self, rows: list[int], reason: str = "") -> None:
        if not rows:
            return
        for row in rows:
            stream = self._rows.owners[row]
            self._rows.leave(row)
            if reason:
                self._metrics.end(reason, int(self._rows.state["num_drawn"][row]))
            if stream is not None:
                stream.release()
        self._rows.shrink()
        self._give_back(len(rows))


def _meaning_of(error: Exception) -> ServingError:
    if isinstance(error, ServingError):
        return error
    _log.error("a batch of streams failed in an unexpected way", exc_info=error)
    return InternalFailureError("Internal error; the server's log has the details")
