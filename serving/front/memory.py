"""Memory of large requests that goes back to the system: the C library keeps it for a next one that may never come."""

import asyncio
import ctypes
import gc

_SECONDS = 5.0


class Memory:
    """Trims the heap a few seconds after the last large request, in a thread."""

    def __init__(self) -> None:
        # Other C libraries than glibc have no such function.
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        self._timer: asyncio.TimerHandle | None = None

    def has_moved(self) -> None:
        """Something large has been given back; called in the event loop."""
        if self._trim is None or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_SECONDS, self._give_back, loop)

    def _give_back(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # An error on the way out holds its frames, and with them the answer, in circles. Where `prepare_process` was
        # called this takes a millisecond; elsewhere it is left to Python's own collections.
        if gc.get_freeze_count():
            gc.collect()
        if self._trim is not None:
            loop.run_in_executor(None, self._trim, 0)


MEMORY = Memory()
