"""Metrics: the text that Prometheus reads, and what is counted while a server answers."""

import grpc
import pytest

from serving.core.metric_types import Counter, Gauge, Histogram
from serving.core.metrics import Metrics
from tests.serving import saved_models
from tests.serving.conftest import eventually, refused


def test_a_counter_is_written_as_tensorflow_serving_writes_it():
    counter = Counter("/tensorflow/serving/request_count", ["model_name", "status"])
    counter.add("m", "OK")
    counter.add("m", "OK", amount=2)
    counter.add('a"b\\c', "NOT_FOUND")
    assert counter.render() == [
        "# TYPE :tensorflow:serving:request_count counter",
        ':tensorflow:serving:request_count{model_name="m",status="OK"} 3',
        ':tensorflow:serving:request_count{model_name="a\\"b\\\\c",status="NOT_FOUND"} 1',
    ]


def test_a_metric_without_samples_has_its_type_line():
    assert Counter("/a/b").render() == ["# TYPE :a:b counter"]
    assert Histogram("/a/b", [], [1.0]).render() == ["# TYPE :a:b histogram"]


def test_a_histogram_is_cumulative_and_ends_with_infinity():
    histogram = Histogram("/h", ["API"], [10.0, 18.0, 32.4])
    for value in (5, 10, 11, 100):  # a value at a limit counts above it, as in TensorFlow
        histogram.observe(value, "Predict")
    assert histogram.render() == [
        "# TYPE :h histogram",
        ':h_bucket{API="Predict",le="10"} 1',
        ':h_bucket{API="Predict",le="18"} 3',
        ':h_bucket{API="Predict",le="32.4"} 3',
        ':h_bucket{API="Predict",le="+Inf"} 4',
        ':h_sum{API="Predict"} 126',
        ':h_count{API="Predict"} 4',
    ]


def test_a_gauge_is_read_when_the_page_is_made():
    values = {("m",): 1.0}
    gauge = Gauge("/g", ["model"], lambda: values)
    values[("m",)] = 2.0
    assert gauge.render() == ["# TYPE :g gauge", ':g{model="m"} 2']


def test_names_keep_letters_digits_and_underscores_only():
    assert Counter("/a-b.c/d_1", ["x-y"]).render() == ["# TYPE :a:b:c:d_1 counter"]


def test_latencies_have_the_limits_of_tensorflow_serving():
    metrics = Metrics()
    metrics.request_latency.observe(1, "m", "Predict", "GRPC")
    lines = [line for line in metrics.request_latency.render() if "_bucket" in line]
    limits = [line.split('le="')[1].split('"')[0] for line in lines]
    assert limits[:6] == ["10", "18", "32.4", "58.32", "104.976", "188.957"]
    assert limits[-3:] == ["8.19309e+08", "1.47476e+09", "+Inf"]


@pytest.fixture
def counted(serve, base, exported):
    saved_models.publish(exported / "line2", base, 3)
    server, stub = serve(batching={"num_batch_threads": 1})
    return server, stub


def test_requests_are_counted_by_model_and_status(counted):
    server, stub = counted
    stub.y(1)
    stub.y(2)
    with refused(grpc.StatusCode.NOT_FOUND):
        stub.y(1, name="other")
    page = server.metrics.render()
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 2\n' in page
    assert ':tensorflow:serving:request_count{model_name="other",status="NOT_FOUND"} 1\n' in page
    assert ':tensorflow:serving:request_latency_count{model_name="m",API="Predict",entrypoint="GRPC"} 2\n' in page
    assert ':tensorflow:serving:runtime_latency_count{model_name="m",API="Predict",runtime="TF1"} 2\n' in page
    assert 'request_latency_count{model_name="other"' not in page


def test_our_own_series_tell_version_and_signature(counted):
    server, stub = counted
    stub.y(1)
    detail = 'model_name="m",version="3",signature="serving_default",API="Predict",entrypoint="GRPC"'
    page = server.metrics.render()
    assert f':seqline:serving:request_count{{{detail},status="OK"}} 1\n' in page
    assert f":seqline:serving:request_latency_count{{{detail}}} 1\n" in page
    assert ":seqline:serving:requests_in_flight 0\n" in page


def test_a_signature_that_is_not_there_makes_no_series_of_its_own(counted):
    server, stub = counted
    with refused(grpc.StatusCode.FAILED_PRECONDITION):
        stub.predict(signature="invented", x=[1.0])
    assert "invented" not in server.metrics.render()


def test_batches_are_counted(counted):
    server, stub = counted
    stub.y(1, 2, 3)
    page = server.metrics.render()
    assert ":tensorflow:serving:batching_session:wrapped_run_count 1\n" in page
    assert ':tensorflow:serving:batching_session:input_batch_size_bucket{le="2"} 0\n' in page
    assert ':tensorflow:serving:batching_session:input_batch_size_bucket{le="4"} 1\n' in page
    assert ":tensorflow:serving:batching_session:processed_batch_size_count 1\n" in page
    assert ':tensorflow:serving:batching_session:queuing_latency_count{thread_pool_name=""} 1\n' in page
    assert ":seqline:serving:batches_waiting 0\n" in page


def test_loads_and_runs_of_the_graph_are_counted(counted, base, exported):
    server, stub = counted
    (broken := base / "4").mkdir()
    (broken / "saved_model.pb").write_bytes(b"nonsense")
    eventually(lambda: f'load_attempt_count{{model_path="{broken}",status="fail"}}' in server.metrics.render())
    stub.y(1)
    page, path, loaded = server.metrics.render(), base / "3", ":tensorflow:cc:saved_model:load"
    assert f'{loaded}_attempt_count{{model_path="{path}",status="success"}} 1\n' in page
    assert float(page.split(f'{loaded}_latency{{model_path="{path}"}} ')[1].split("\n")[0]) > 1000
    assert f'{loaded}_latency{{model_path="{broken}"}}' not in page
    for stage in ("restore_graph", "init_graph"):
        assert f'{loaded}_latency_by_stage_count{{model_path="{path}",stage="{stage}"}} 1\n' in page
    assert ":tensorflow:core:graph_runs 1\n" in page
    assert float(page.split("\n:tensorflow:core:graph_run_time_usecs ")[1].split("\n")[0]) > 0


def test_versions_are_shown_by_state(counted):
    page = counted[0].metrics.render()
    assert ':seqline:serving:model_versions{model_name="m",state="AVAILABLE"} 1\n' in page
