"""The load generator that costs little, against a real server."""

import pytest

from benchmarks.serving.h2load import H2LOAD, h2load
from benchmarks.serving.processes import Target
from benchmarks.serving.requests import predict_requests, write_requests
from benchmarks.serving.tables import share_of_bound
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.conftest import QUICK


@pytest.mark.skipif(not H2LOAD.exists(), reason="no h2load: sh benchmarks/serving/setup.sh fetches it")
def test_answers_are_counted_and_failures_too(model, tmp_path):
    requests = write_requests(tmp_path / "requests.json", predict_requests("upper", "", "source", [["one"]]))
    with Server("upper", model, ServingSettings(**QUICK)) as server:
        server.wait_until_available(20)
        report = h2load(Target(server.address, requests), concurrency=2, seconds=0.5, warm_up=0.1)
        assert report.errors == {}
        assert report.answered > 20
        assert report.per_second == report.answered / 0.5
        assert 0 < report.p50 <= report.p95 <= report.p99
        # Nothing is answered to these, with the same HTTP status.
        server_of_none = Target(server.address, requests, "/tensorflow.serving.PredictionService/Classify")
        refused = h2load(server_of_none, concurrency=2, seconds=0.5, warm_up=0, expected=10)
        assert refused.answered == 0
        assert refused.errors["failed"] > 20


def test_the_bound_is_both_costs_one_after_the_other():
    # 10 ms for the echo and 10 ms for the model: 50 requests a second.
    assert share_of_bound(50, 100, 100) == pytest.approx(1)
    assert share_of_bound(40, 1e9, 100) == pytest.approx(0.4)
