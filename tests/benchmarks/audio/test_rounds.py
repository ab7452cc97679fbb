"""Turns and medians."""

import pytest

from benchmarks.audio.rounds import Series, refusals, require_equal_size, take_turns, times_as_fast, torch_shape
from benchmarks.audio.workers import WorkerError
from benchmarks.serving.processes import BenchmarkError


def series(name: str, seconds: list[float], log: list[str]) -> Series:
    left = iter(seconds)

    def measure() -> dict[str, float]:
        log.append(name)
        return {"seconds": next(left)}

    return Series(name, 1, 100, measure)


def test_the_first_call_stands_apart_and_the_figure_is_the_median():
    log: list[str] = []
    one = series("one", [9.0, 1.0, 4.0, 2.0], log)
    assert len(list(take_turns([one], 3))) == 4
    summary = one.summary()
    assert summary["first_seconds"] == 9.0
    assert summary["rounds"] == [100.0, 25.0, 50.0]
    assert summary["per_second"] == 50.0


def test_each_round_begins_with_another_contestant():
    log: list[str] = []
    list(take_turns([series(name, [1.0] * 3, log) for name in "ab"], 2))
    assert "".join(log) == "ab" + "ab" + "ba"


def test_a_refusal_is_told_and_hinders_nobody():
    def refuse() -> dict[str, float]:
        raise WorkerError("XLA compilation disabled")

    broken, whole = Series("broken", 1, 100, refuse), series("whole", [1.0] * 2, [])
    list(take_turns([broken, whole], 1))
    figures = [broken.summary(), whole.summary()]
    assert refusals(figures) == ["broken, 1 refused: XLA compilation disabled"]
    assert [times_as_fast(figures, one, "whole") for one in figures] == ["-", "1.00x"]


def test_models_of_different_sizes_are_not_compared():
    require_equal_size({"a": {"parameters": 3}, "b": {"parameters": 3}, "c": {}})
    with pytest.raises(BenchmarkError, match="same number of parameters"):
        require_equal_size({"a": {"parameters": 3}, "b": {"parameters": 4}})


def test_the_peer_has_the_dilations_of_ours():
    model = {"hidden_dim": 4, "skip_dim": 8, "kernel_size": 2, "dilation_depth": 3, "num_stacks": 2, "more": 1}
    shape = {"hidden_dim": 4, "skip_dim": 8, "kernel_size": 2, "dilations": [1, 2, 4, 1, 2, 4]}
    assert torch_shape(model) == shape
