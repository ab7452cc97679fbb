"""The way of a request between the event loop and the threads."""

import asyncio
import time

import pytest

from serving.core.batching import BatchRunner
from serving.errors import DeadlineExceededError
from serving.front.limits import Places
from serving.front.work import Work
from serving.settings import BatchingSettings


def test_a_caller_whose_time_is_over_is_told_so_whoever_sees_it_first():
    async def ask() -> None:
        runner = BatchRunner(BatchingSettings())
        work = Work(runner, 1, Places(1, "a place"), asyncio.get_running_loop())
        try:
            # The request is looked at before the timer of its deadline has a turn.
            await work.answer(lambda _: pytest.fail("it is read"), time.monotonic() - 1, is_light=True)
        finally:
            work.stop()
            runner.stop()

    with pytest.raises(DeadlineExceededError):
        asyncio.run(ask())
