"""The event loop that carries every connection: one thread, for all servers of the process.

gRPC hands its events to any loop that uses it, in whatever thread; with a single loop they never take a detour.
"""

import asyncio
import errno
import logging
import os
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")

_log = logging.getLogger("seqline.serving")
_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_SECONDS_BETWEEN_WORDS = 60.0
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def event_loop() -> asyncio.AbstractEventLoop:
    """The loop; its thread is started when the first server asks for it, and ends with the process."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _loop.set_exception_handler(_Words())
            threading.Thread(target=_loop.run_forever, name="seqline-front", daemon=True).start()
        return _loop


def wait_for(coroutine: Coroutine[Any, Any, Value], seconds: float | None = None) -> Value:
    """Runs a coroutine in the loop and waits for it, from another thread."""
    return asyncio.run_coroutine_threadsafe(coroutine, event_loop()).result(seconds)


class _Words:
    """What the loop has to say: descriptors that run out are one line a minute, not one for each connection."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in _NO_ROOM:
            loop.default_exception_handler(context)
        elif time.monotonic() >= self._silent_until:
            self._silent_until = time.monotonic() + _SECONDS_BETWEEN_WORDS
            _log.error("no connection can be taken at the moment: %s", error.strerror)


def _forget() -> None:
    global _loop
    _loop = None


os.register_at_fork(after_in_child=_forget)
