"""Requests that are small on the wire and large in memory, and requests of many rows."""

import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from tests.serving import saved_models
from tests.serving.conftest import eventually, refused
from tests.serving.rest.http_call import call

INVALID = grpc.StatusCode.INVALID_ARGUMENT


def claimed(count: int, dtype: int, **values) -> tensor_pb2.TensorProto:
    """A tensor that claims so many values and brings one."""
    proto = tensor_pb2.TensorProto(dtype=dtype, **values)
    proto.tensor_shape.dim.add(size=count)
    return proto


def test_values_that_are_claimed_and_not_sent_have_a_limit(serve, base, exported):
    saved_models.publish(exported / "text", base, 1)
    _, stub = serve(max_repeated_values=100)
    many, few = (claimed(count, types_pb2.DT_STRING, string_val=[b"good"]) for count in (102, 101))
    with refused(INVALID, "tensor parsing error: text"):
        stub.predict(text=many)
    assert len(stub.predict(text=few).outputs["label"].string_val) == 101


def test_a_message_of_a_few_bytes_is_bounded_by_default(serve, base, exported):
    saved_models.publish(exported / "text", base, 1)
    _, stub = serve()
    with refused(INVALID, "tensor parsing error: text"):
        stub.predict(text=claimed(100_000, types_pb2.DT_STRING, string_val=[b"good"]))


def test_more_rows_than_the_server_takes_are_refused(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    _, stub = serve(max_rows=10)
    assert len(stub.y(*range(10))) == 10
    with refused(INVALID) as caught:
        stub.y(*range(11))
    assert caught.value.details().startswith("input x has 11 rows, more than the 10 that this server takes at once")


def test_a_longer_string_than_the_server_takes_is_refused_at_once(serve, base, exported):
    saved_models.publish(exported / "text", base, 1)
    server, stub = serve()
    longest, message = 10_000_000, "input text has a string of 10000001 bytes, more than the 10000000 that this server"
    assert stub.predict(text=["a", "b" * longest]).outputs["label"].string_val == [b"neg"] * 2
    with refused(INVALID) as caught:
        stub.predict(text=["a", "b" * (longest + 1)])
    assert caught.value.details().startswith(message)
    reply = call(server, "POST", "/v1/models/m:predict", {"instances": ["b" * (longest + 1)]})
    assert (reply.status, reply.error[: len(message)]) == (400, message)


@pytest.fixture
def gate(tmp_path):
    gate = saved_models.Gate()
    gate.save(tmp_path / "gate")
    yield gate
    gate.open.set()


def test_a_request_larger_than_a_batch_is_run_in_several(serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    gate.open.set()
    _, stub = serve(batching={"max_batch_size": 4})
    assert stub.y(*range(10)) == [float(n) for n in range(10)]
    assert gate.rows == [4, 4, 2]


def test_between_the_runs_of_a_large_request_the_deadline_counts(serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    server, stub = serve(batching={"max_batch_size": 4})
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        stub.y(*range(40), timeout=1.0)
    gate.open.set()
    eventually(lambda: server._grpc_work.running == 0)
    assert gate.rows == [4]


def test_a_small_request_does_not_wait_for_all_of_a_large_one(serve, base, gate, tmp_path):
    saved_models.publish(tmp_path / "gate", base, 1)
    _, stub = serve(batching={"max_batch_size": 4, "num_batch_threads": 1})
    large = stub.prediction.Predict.future(stub.request(x=np.zeros(40, np.float32)), timeout=20)
    assert gate.entered.acquire(timeout=10)
    small = threading.Thread(target=stub.y, args=(1.0,))
    small.start()
    threading.Timer(0.5, gate.open.set).start()
    small.join(10)
    large.result(10)
    assert 1 in gate.rows[:3]


@pytest.mark.parametrize(("signature", "output", "answer"), [("total", "total", 10.0)])
def test_outputs_without_a_row_for_each_row_come_of_one_run(serve, base, exported, signature, output, answer):
    saved_models.publish(exported / "shapes", base, 1)
    _, stub = serve(batching={"max_batch_size": 4})
    found = stub.predict(signature, x=[1.0] * 10).outputs[output]
    assert tf.make_ndarray(found).tolist() == answer


def test_a_compressed_message_counts_as_what_it_unpacks_to(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    _, stub = serve(max_message_bytes=2**20)
    request = stub.request(x=[0.0])
    request.inputs["x"].tensor_content = bytes(2**22)
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        stub.prediction.Predict(request, timeout=10, compression=grpc.Compression.Gzip)
    small = stub.prediction.Predict(stub.request(x=[2.0]), timeout=10, compression=grpc.Compression.Gzip)
    assert list(small.outputs["y"].float_val) == [3.0]


def test_combinations_of_outputs_do_not_pile_up(serve, base, tmp_path):
    saved_models.save_wide(tmp_path / "wide", 8)
    saved_models.publish(tmp_path / "wide", base, 1)
    server, stub = serve()
    for chosen in range(1, 200):
        names = [f"o{bit}" for bit in range(8) if chosen >> bit & 1]
        outputs = stub.predict(x=[1.0], filter=names).outputs
        assert {name: list(value.float_val) for name, value in outputs.items()} == {
            name: [1.0 + int(name[1:])] for name in names
        }
    with server.store.models["m"].lease(1) as lease:
        assert len(lease.servable._programs) <= 65


def test_names_of_models_that_clients_invent_share_a_series(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server, stub = serve()
    for name in ("a" * 500, *(f"invented{number}" for number in range(40))):
        with refused(grpc.StatusCode.NOT_FOUND):
            stub.y(1, name=name)
    stub.y(1)
    page = server.metrics.render()
    assert page.count(":tensorflow:serving:request_count{") == 16 + 2
    assert ':tensorflow:serving:request_count{model_name="(others)",status="NOT_FOUND"} 25\n' in page
