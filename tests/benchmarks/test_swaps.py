"""Swaps of versions under load, against the real program."""

import pytest

from benchmarks.serving.requests import predict_requests, write_requests
from benchmarks.serving.swaps import flatness, measure
from tests.serving.saved_models import publish


def test_three_swaps_under_load_fail_no_request(model, tmp_path):
    base = tmp_path / "upper"
    publish(model / "1", base, 1)
    requests = write_requests(tmp_path / "requests.json", predict_requests("upper", "", "source", [["one"]]))
    result = measure(base, model / "1", requests, count=3, pause=0.2, clients=4)
    assert result["errors"] == {}
    assert result["answered"] > 100
    assert [path.name for path in base.iterdir()] == ["4"]
    assert len(result["resident_bytes"]) == 3
    assert abs(result["growth"]) < 0.2


def test_growth_compares_the_end_with_the_time_after_the_warm_up():
    warming = [50, 60, 70, 80, 90, 95, 97, 98, 99, 100]
    assert flatness([*warming, *[100] * 80, *[104] * 10])["growth"] == pytest.approx(0.04)
    assert flatness([10, 20, 30])["warm_bytes"] == 20
    assert flatness([10])["growth"] == 0
