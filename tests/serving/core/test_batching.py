"""Requests that wait together run together, and none pays for its neighbours."""

from concurrent.futures import Future, ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.core.batching import BatchRunner
from serving.core.servable import Program, Servable
from serving.errors import InvalidRequestError, ResourceExhaustedError, ServingError, UnavailableError
from serving.settings import BatchingSettings
from tests.serving import saved_models
from tests.serving.conftest import eventually, refused

FOREVER = float("inf")


@pytest.fixture(scope="module")
def model(exported):
    servable = Servable(exported / "shapes")
    yield servable
    servable.close()


def program(model: Servable, signature: str) -> Program:
    definition = model.signatures[signature]
    feeds = tuple(definition.inputs[alias].name for alias in sorted(definition.inputs))
    return model.program(feeds, tuple(info.name for info in definition.outputs.values()))


class Held:
    """A runner with one thread, held up by a first request until `release`, so that what follows waits together."""

    def __init__(self, tmp_path, **settings) -> None:
        self.gate = saved_models.Gate()
        self.servable = Servable(self.gate.save(tmp_path / "gate"))
        self.runner = BatchRunner(BatchingSettings(num_batch_threads=1, **settings))
        self._pool = ThreadPoolExecutor(64)
        self.first = self.submit(program(self.servable, "serving_default"), [0.0])
        assert self.gate.entered.acquire(timeout=10)

    def submit(self, what: Program, *arrays, deadline: float = FOREVER) -> Future:
        arrays = [np.asarray(array, np.float32) for array in arrays]
        return self._pool.submit(self.runner.run, what, arrays, deadline)

    def release(self) -> None:
        self.gate.open.set()
        self.first.result(10)

    def queued(self) -> int:
        return sum(len(batch.tasks) for batch in self.runner._waiting)

    def close(self) -> None:
        self.gate.open.set()
        self.runner.stop()
        self._pool.shutdown()
        self.servable.close()


@pytest.fixture
def hold(tmp_path):
    made = []

    def make(**settings) -> Held:
        made.append(Held(tmp_path, **settings))
        return made[-1]

    yield make
    for held in made:
        held.close()


def submit_all(held: Held, what: Program, requests) -> list[Future]:
    """Queues requests in order."""
    futures = []
    for arrays in requests:
        before = held.queued()
        futures.append(held.submit(what, *arrays))
        eventually(lambda expected=before + 1: held.queued() == expected)
    return futures


def test_waiting_requests_share_a_run_and_get_their_own_rows(hold, model):
    held = hold()
    futures = submit_all(held, program(model, "serving_default"), [[[[i, 1.0], [i, 2.0]]] for i in range(5)])
    held.release()
    assert [future.result(10)[0].tolist() for future in futures] == [[i + 1, i + 2] for i in range(5)]
    assert (held.runner.executor.num_runs, held.runner.executor.num_requests) == (2, 6)


def test_requests_of_different_shapes_never_share_a_run(hold, model):
    held = hold()
    rows = [[[1.0, 2.0]], [[1.0, 2.0, 3.0]], [[5.0, 5.0]], [[1.0]]]
    futures = submit_all(held, program(model, "serving_default"), [[row] for row in rows])
    held.release()
    assert [future.result(10)[0].tolist() for future in futures] == [[3], [6], [10], [1]]
    assert held.runner.executor.num_runs == 1 + 3


def test_a_bad_request_fails_alone(hold, model):
    held = hold()
    futures = submit_all(held, program(model, "root"), [[[4.0]], [[-1.0]], [[9.0, 16.0]]])
    held.release()
    assert futures[0].result(10)[0].tolist() == [2]
    assert futures[2].result(10)[0].tolist() == [3, 4]
    with pytest.raises(InvalidRequestError, match="negative input"):
        futures[1].result(10)


def test_outputs_without_rows_are_computed_one_by_one(hold, model):
    held = hold()
    what = program(model, "total")
    futures = submit_all(held, what, [[[1.0, 2.0]], [[10.0]]])
    held.release()
    assert [future.result(10)[0].tolist() for future in futures] == [3, 10]
    assert not what.splittable
    what.splittable = True


def test_a_batch_never_exceeds_its_largest_size(hold, model):
    held = hold(max_batch_size=4)
    gated = program(held.servable, "serving_default")
    futures = submit_all(held, gated, [[[1.0] * 3], [[2.0] * 2], [[3.0] * 2], [[4.0]]])
    held.release()
    for future in futures:
        future.result(10)
    assert held.gate.rows == [1, 3, 4, 1]


def test_a_request_over_the_largest_size_runs_by_itself(hold, model):
    held = hold(max_batch_size=2)
    future = held.submit(program(model, "root"), [4.0] * 5)
    held.release()
    assert future.result(10)[0].tolist() == [2] * 5


def test_what_cannot_be_merged_runs_by_itself(hold, model):
    held = hold()
    scalar = held.submit(program(model, "scalar"), 1.0)
    constant = held.submit(program(model, "constant"))
    broadcast = held.submit(program(model, "add"), [1.0], [1.0, 2.0])
    held.release()
    assert [future.result(10)[0].tolist() for future in (scalar, constant, broadcast)] == [2, 42, [2, 3]]


@pytest.mark.parametrize(
    ("signature", "arrays", "error", "message"),
    [
        ("scalar", [1.0], "InvalidRequestError", "Batching Run() input tensors must have at least one dimension"),
        ("constant", [], "InvalidRequestError", "Batching Run() must have at least one input tensor"),
        (
            "add",
            [[1.0], [1.0, 2.0]],
            "InvalidRequestError",
            "Batching Run() input tensors must have equal 0th-dimension size",
        ),
        ("root", [[1.0] * 5], "InvalidRequestError", "Task size 5 is larger than maximum input batch size 4"),
        ("total", [[1.0]], "FailedPreconditionError", "Batched output tensor has 0 dimensions"),
    ],
)
def test_strict_batching_refuses_as_tensorflow_serving_does(model, signature, arrays, error, message):
    runner = BatchRunner(BatchingSettings(strict=True, max_batch_size=4, num_batch_threads=1))
    with pytest.raises(ServingError) as caught:
        runner.run(program(model, signature), [np.asarray(array, np.float32) for array in arrays], FOREVER)
    assert (type(caught.value).__name__, str(caught.value)) == (error, message)
    runner.stop()


def test_a_full_queue_is_unavailable(hold, model):
    held = hold(max_batch_size=1, max_enqueued_batches=2)
    what = program(model, "root")
    futures = submit_all(held, what, [[[1.0]], [[4.0]]])
    message = (
        "The batch scheduling queue to which this task was submitted is full; currently 2 batches enqueued and "
        "max_enqueued_batches is 2"
    )
    with pytest.raises(UnavailableError) as caught:
        held.submit(what, [9.0]).result(10)
    assert str(caught.value) == message
    # Another program has its own queue.
    other = held.submit(program(model, "add"), [1.0], [1.0])
    held.release()
    assert [future.result(10)[0].tolist() for future in (*futures, other)] == [[1], [2], [2]]


def test_a_request_whose_time_ran_out_in_the_queue_is_not_run(hold, model):
    held = hold()
    gated = program(held.servable, "serving_default")
    late = held.submit(gated, [1.0] * 7, deadline=0.0)
    with pytest.raises(ServingError):
        late.result(10)
    (batch,) = held.runner._waiting
    held.release()
    with pytest.raises(ResourceExhaustedError, match=r"^Run\(\) timeout exceeded while waiting in batching queue$"):
        batch.tasks[0].answer.result(10)
    assert held.gate.rows == [1]


def test_a_batch_waits_for_company_when_told_to(model):
    runner = BatchRunner(BatchingSettings(batch_timeout_micros=20_000_000, max_batch_size=3, num_batch_threads=2))
    with ThreadPoolExecutor() as pool:
        what = program(model, "root")
        futures = [pool.submit(runner.run, what, [np.float32([value])], FOREVER) for value in (1, 4, 9)]
        assert sorted(future.result(10)[0].item() for future in futures) == [1, 2, 3]
    assert runner.executor.num_runs == 1
    runner.stop()


def test_a_lone_request_waits_no_longer_than_the_timeout(model):
    runner = BatchRunner(BatchingSettings(batch_timeout_micros=50_000, num_batch_threads=1))
    assert runner.run(program(model, "root"), [np.float32([4])], FOREVER)[0].tolist() == [2]
    runner.stop()


def test_stopping_answers_what_still_waits(hold, model):
    held = hold()
    (waiting,) = submit_all(held, program(model, "root"), [[[1.0]]])
    held.runner.stop()
    with pytest.raises(UnavailableError):
        waiting.result(10)
    with pytest.raises(UnavailableError):
        held.submit(program(model, "root"), [1.0]).result(10)


# === Over the wire ===


def test_concurrent_clients_are_batched_and_get_what_they_get_alone(serve, base, exported):
    saved_models.publish(exported / "shapes", base, 1)
    _, stub = serve(batching={"num_batch_threads": 1})
    generator = np.random.default_rng(0)
    requests = [
        generator.normal(size=(rows, columns)).astype(np.float32) for rows in (1, 2, 3) for columns in range(1, 9)
    ]

    def ask(x):
        return tf.make_ndarray(stub.predict(x=x).outputs["total"])

    alone = [ask(x) for x in requests]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(ask, requests * 5))
    for got, wanted in zip(together, alone * 5, strict=True):
        assert got.shape == wanted.shape
        np.testing.assert_allclose(got, wanted, rtol=1e-6)


def test_batches_form_over_the_wire(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server, stub = serve(batching={"num_batch_threads": 1})
    first = stub.prediction.Predict.future(stub.request(x=[0.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    rest = [stub.prediction.Predict.future(stub.request(x=[float(i)] * i), timeout=20) for i in range(1, 6)]
    eventually(lambda: sum(len(batch.tasks) for batch in server._runner._waiting) == 5)
    gate.open.set()
    first.result(10)
    answers = [tf.make_ndarray(future.result(10).outputs["y"]).tolist() for future in rest]
    assert answers == [[i] * i for i in range(1, 6)]
    assert gate.rows == [1, 15]


def test_a_full_queue_is_unavailable_over_the_wire(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    server, stub = serve(batching={"num_batch_threads": 1, "max_batch_size": 1, "max_enqueued_batches": 1})
    first = stub.prediction.Predict.future(stub.request(x=[0.0]), timeout=20)
    assert gate.entered.acquire(timeout=10)
    second = stub.prediction.Predict.future(stub.request(x=[1.0]), timeout=20)
    eventually(lambda: len(server._runner._waiting) == 1)
    message = (
        "The batch scheduling queue to which this task was submitted is full; currently 1 batches enqueued and "
        "max_enqueued_batches is 1"
    )
    with refused(grpc.StatusCode.UNAVAILABLE, message):
        stub.predict(x=[2.0])
    gate.open.set()
    assert [tf.make_ndarray(f.result(10).outputs["y"]).tolist() for f in (first, second)] == [[0], [1]]


def test_without_batching_each_request_runs_by_itself(serve, base, tmp_path):
    gate = saved_models.Gate()
    saved_models.publish(gate.save(tmp_path / "gate"), base, 1)
    _, stub = serve(batching={"enabled": False})
    gate.open.set()
    futures = [stub.prediction.Predict.future(stub.request(x=[float(i)]), timeout=20) for i in range(30)]
    assert [tf.make_ndarray(future.result(10).outputs["y"]).tolist() for future in futures] == [[i] for i in range(30)]
    assert gate.rows == [1] * 30
