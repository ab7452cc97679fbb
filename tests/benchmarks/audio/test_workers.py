"""Workers answer one job after another, whatever is printed beside."""

import pytest

from benchmarks.audio.workers import Worker, WorkerError

ADDER = "tests.benchmarks.audio.adder"


def test_a_worker_keeps_its_state_from_job_to_job(tmp_path):
    with Worker(ADDER, {"start": 10}, tmp_path / "log") as worker:
        assert worker.facts == {"start": 10}
        assert worker.ask(number=5) == {"total": 15}
        assert worker.ask(number=1) == {"total": 16}


def test_a_job_that_fails_says_why_and_the_next_one_is_done(tmp_path):
    with Worker(ADDER, {"start": 0}, tmp_path / "log") as worker:
        with pytest.raises(WorkerError, match="ValueError: no negative numbers"):
            worker.ask(number=-1)
        assert worker.ask(number=2) == {"total": 2}


def test_a_worker_that_ends_leaves_its_last_words(tmp_path):
    with Worker(ADDER, {"start": 0}, tmp_path / "log") as worker, pytest.raises(WorkerError, match="gone"):
        worker.ask(number=99)
    with pytest.raises(WorkerError, match="unexpected keyword argument"):
        Worker(ADDER, {"begin": 0}, tmp_path / "log")
