"""The load generator, against a real server where one is needed."""

import asyncio
import math
import time

import grpc
import pytest
import typer

from benchmarks.serving.load import drive, percentile, require_loopback
from benchmarks.serving.processes import Load, Target
from benchmarks.serving.requests import groups, predict_requests, read_requests, read_texts, write_requests
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving.conftest import QUICK


@pytest.fixture(scope="module")
def address(model):
    with Server("upper", model, ServingSettings(**QUICK)) as server:
        server.wait_until_available(20)
        yield server.address


def test_a_percentile_is_the_smallest_value_that_covers_its_share():
    ten = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    assert [percentile(ten, share) for share in (0.0, 0.5, 0.51, 0.95, 0.99, 1.0)] == [1, 5, 6, 10, 10, 10]
    assert percentile([3.0], 0.5) == 3
    assert math.isnan(percentile([], 0.5))


def test_a_real_server_is_asked_for_the_time_given(address, texts, tmp_path):
    requests = predict_requests("upper", "serving_default", "source", groups(read_texts([texts]), 1))
    target = Target(address, write_requests(tmp_path / "requests.json", requests))
    assert b"ZW\xc3\x96LF" in target.ask(requests[2])
    report = Load(target, concurrency=4, seconds=1.0).report()
    assert report.errors == {}
    assert 1.0 <= report.seconds < 2.0
    assert report.answered > 50
    assert report.per_second == pytest.approx(report.answered / report.seconds)
    assert 0 < report.p50 <= report.p95 <= report.p99 < 1000


def test_refused_requests_are_counted_by_status(address, tmp_path):
    requests = predict_requests("no_such_model", "", "source", [["one"]])
    target = Target(address, write_requests(tmp_path / "requests.json", requests))
    report = Load(target, concurrency=2, seconds=0.3).report()
    assert report.answered == 0
    assert set(report.errors) == {grpc.StatusCode.NOT_FOUND.name}
    # A refused client rests a moment.
    assert report.errors["NOT_FOUND"] < 100


def test_a_load_that_is_stopped_reports_what_it_sent(address, tmp_path):
    requests = predict_requests("upper", "", "source", [["one"]])
    load = Load(Target(address, write_requests(tmp_path / "requests.json", requests)), concurrency=1, seconds=600)
    time.sleep(0.5)
    report = load.stop()
    assert report.answered > 0
    assert report.seconds < 60


def test_no_more_requests_are_sent_than_the_limit():
    sent = []

    async def call(request: bytes) -> str:
        sent.append(request)
        return "OK"

    async def run():
        return await drive(call, [b"a", b"b"], concurrency=3, seconds=60, limit=5, stopped=asyncio.Event())

    report = asyncio.run(run())
    assert sorted(sent) == [b"a", b"a", b"a", b"b", b"b"]
    assert (report.answered, report.concurrency) == (5, 3)


@pytest.mark.parametrize(
    "target", ["10.0.0.1:8500", "http://example.org:80/predict", "8500", "127.0.0.1.example.org:1"]
)
def test_load_is_made_for_this_machine_alone(target):
    with pytest.raises(typer.BadParameter, match=r"127\.0\.0\.1 alone"):
        require_loopback(target)


def test_prepared_requests_are_read_back_byte_by_byte(tmp_path):
    requests = [b"\x00\xff", b"", "ä".encode()]
    assert read_requests(write_requests(tmp_path / "requests.json", requests)) == requests


def test_texts_are_grouped_into_requests_of_equal_size(texts):
    lines = read_texts([texts])
    assert lines == ["one", "two", "zwölf"]
    assert groups(lines, 1) == [["one"], ["two"], ["zwölf"]]
    assert groups(lines, 4) == [["one", "two", "zwölf", "one"]]
