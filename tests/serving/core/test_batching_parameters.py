"""TensorFlow Serving's batching files, and what they ask for."""

import numpy as np
import pytest

from serving.core.batching import BatchRunner
from serving.core.batching_parameters import read_batching_parameters
from serving.core.servable import Servable
from serving.errors import FailedPreconditionError, InvalidRequestError, ServerStartError, UnavailableError
from serving.settings import BatchingSettings
from tests.serving import saved_models
from tests.serving.conftest import eventually
from tests.serving.core.test_batching import FOREVER, Held, program, submit_all

FILE = """
max_batch_size { value: 32 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 0 }
num_batch_threads { value: 4 }
thread_pool_name { value: "bt" }
enable_large_batch_splitting { value: true }
max_execution_batch_size { value: 16 }
allowed_batch_sizes: 8
allowed_batch_sizes: 16
pad_variable_length_inputs: true
"""


def write(tmp_path, text: str) -> str:
    (tmp_path / "batching.config").write_text(text)
    return str(tmp_path / "batching.config")


def test_a_file_wins_over_the_settings(tmp_path):
    settings = read_batching_parameters(write(tmp_path, FILE), BatchingSettings(max_batch_size=7, strict=True))
    assert settings == BatchingSettings(
        strict=True,
        max_batch_size=32,
        batch_timeout_micros=2000,
        max_enqueued_batches=1,
        num_batch_threads=4,
        enable_large_batch_splitting=True,
        max_execution_batch_size=16,
        allowed_batch_sizes=(8, 16),
        pad_variable_length_inputs=True,
    )


def test_what_a_file_does_not_name_stays(tmp_path):
    settings = BatchingSettings(max_batch_size=7, batch_timeout_micros=5)
    assert read_batching_parameters(write(tmp_path, "max_batch_size { value: 9 }"), settings) == BatchingSettings(
        max_batch_size=9, batch_timeout_micros=5
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max_batch_size: 9", "Invalid protobuf file"),
        ("nonsense { value: 9 }", "Invalid protobuf file"),
        ("max_batch_size { value: 0 }", "max_batch_size: Input should be greater than or equal to 1, got 0"),
        ("num_batch_threads { value: 0 }", "num_batch_threads must be at least 1, got 0"),
        ("num_batch_threads { value: -2 }", "num_batch_threads must be at least 1, got -2"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros: Input should be greater than or equal to 0"),
        (
            "max_batch_size { value: 9 } allowed_batch_sizes: 4 allowed_batch_sizes: 8",
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 8; expected 9",
        ),
        (
            "max_batch_size { value: 8 } allowed_batch_sizes: 8 allowed_batch_sizes: 4 allowed_batch_sizes: 8",
            "allowed_batch_sizes must be positive and ascending, got [8, 4, 8]",
        ),
        ("max_execution_batch_size { value: 99 }", "max_execution_batch_size (99) must not be larger than"),
    ],
)
def test_a_file_that_cannot_be_is_named_at_the_start(serve, tmp_path, text, message):
    with pytest.raises(ServerStartError) as caught:
        serve(wait=False, batching={"parameters_file": write(tmp_path, text)})
    assert message in str(caught.value)
    assert "batching.config" in str(caught.value)


def test_a_model_may_bring_its_own_file_and_without_it_is_not_batched(serve, base, exported):
    version = saved_models.publish(exported / "line2", base, 1)
    server, stub = serve(batching={"per_model_parameters": True})
    assert stub.y(1) == [2.5]
    assert ":batching_session:wrapped_run_count 1" not in server.metrics.render()
    server.stop()
    (version / "batching_params.pbtxt").write_text("allowed_batch_sizes: 4 max_batch_size { value: 4 }")
    server, stub = serve(batching={"per_model_parameters": True})
    assert stub.y(1) == [2.5]
    assert ':padding_size_sum{execution_batch_size="4"} 3\n' in server.metrics.render()


def test_a_bad_file_of_a_model_fails_its_load_and_tells_why(serve, base, exported):
    (saved_models.publish(exported / "line2", base, 1) / "batching_params.pbtxt").write_text("allowed_batch_sizes: 4")
    _, stub = serve(wait=False, batching={"per_model_parameters": True})
    eventually(lambda: any(entry.status.error_message for entry in _status(stub)))
    assert "Last entry in allowed_batch_sizes must match max_batch_size" in _status(stub)[0].status.error_message


def _status(stub):
    return stub.status() if stub.states() else []


# === What the parameters do ===


@pytest.fixture(scope="module")
def model(exported):
    servable = Servable(exported / "shapes")
    yield servable
    servable.close()


@pytest.fixture
def hold(tmp_path):
    made = []

    def make(**settings) -> Held:
        made.append(Held(tmp_path, **settings))
        return made[-1]

    yield make
    for held in made:
        held.close()


def test_a_batch_is_filled_up_to_an_allowed_size_and_the_copies_are_dropped(model):
    runner = BatchRunner(BatchingSettings(max_batch_size=8, allowed_batch_sizes=(4, 8)))
    answer = runner.run(program(model, "root"), [np.array([1.0, 4.0, 9.0], np.float32)], FOREVER)
    runner.stop()
    assert answer[0].tolist() == [1, 2, 3]


def test_copies_never_enter_an_answer_that_sums_over_rows(model):
    runner = BatchRunner(BatchingSettings(max_batch_size=8, allowed_batch_sizes=(4, 8)))
    answer = runner.run(program(model, "total"), [np.array([1.0, 2.0], np.float32)], FOREVER)
    runner.stop()
    assert answer[0].tolist() == 3


def test_padding_uses_the_first_element_as_tensorflow_serving_does(hold, model):
    held = hold(pad_variable_length_inputs=True)
    futures = submit_all(held, program(model, "serving_default"), [[[[1.0, 2.0]]], [[[1.0, 2.0, 3.0]]]])
    held.release()
    # The sum of 1, 2 and the padding: a copy of the first element.
    assert [future.result(10)[0].tolist() for future in futures] == [[1 + 2 + 1], [6]]
    assert held.runner.executor.num_runs == 2


def test_padding_uses_the_value_that_the_settings_name(exported, tmp_path):
    settings = {"pad_variable_length_inputs": True, "padding_values": {"x": 0.0}}
    servable = Servable(exported / "shapes", batching=BatchingSettings(num_batch_threads=1, **settings))
    held = Held(tmp_path)
    futures = submit_all(held, program(servable, "serving_default"), [[[[1.0, 2.0]]], [[[1.0, 2.0, 3.0]]]])
    held.release()
    assert [future.result(10)[0].tolist() for future in futures] == [[3], [6]]
    assert held.runner.executor.num_runs == 2
    held.close()
    servable.close()


def test_an_empty_row_never_fails_its_neighbours(hold, model):
    held = hold(pad_variable_length_inputs=True)
    futures = submit_all(held, program(model, "serving_default"), [[[[1.0, 2.0]]], [np.zeros((1, 0))], [[[5.0]]]])
    held.release()
    assert [future.result(10)[0].tolist() for future in futures] == [[3], [0], [10]]


def test_a_large_request_is_cut_to_fill_the_open_batch(hold, model):
    held = hold(enable_large_batch_splitting=True, max_batch_size=8, max_execution_batch_size=4)
    what = program(model, "serving_default")
    first = held.submit(what, np.ones((3, 2)))
    eventually(lambda: held.queued() == 1)
    second = held.submit(what, np.arange(12).reshape(6, 2))
    eventually(lambda: held.queued() == 4)
    held.release()
    assert first.result(10)[0].tolist() == [2, 2, 2]
    assert second.result(10)[0].tolist() == [1, 5, 9, 13, 17, 21]
    # The held one; 3 rows and 1; 4 rows; the last row.
    assert held.runner.executor.num_runs == 4


def test_a_failed_piece_fails_its_request_only(hold, model):
    held = hold(enable_large_batch_splitting=True, max_batch_size=8, max_execution_batch_size=2)
    what = program(model, "root")
    good = held.submit(what, [4.0])
    eventually(lambda: held.queued() == 1)
    bad = held.submit(what, [1.0, 1.0, -1.0])
    eventually(lambda: held.queued() == 3)
    held.release()
    assert good.result(10)[0].tolist() == [2]
    with pytest.raises(InvalidRequestError, match="negative input"):
        bad.result(10)


def test_pieces_of_what_sums_over_rows_are_not_put_together(model):
    settings = BatchingSettings(enable_large_batch_splitting=True, max_batch_size=8, max_execution_batch_size=2)
    runner = BatchRunner(settings)
    with pytest.raises(FailedPreconditionError, match="Batched output tensor has 0 dimensions"):
        runner.run(program(model, "total"), [np.ones(3, np.float32)], FOREVER)
    runner.stop()


@pytest.mark.parametrize("cut", [True, False])
def test_a_large_request_is_answered_at_once_where_its_pieces_have_rows_of_different_lengths(tmp_path, cut):
    model = Servable(saved_models.save_padded(tmp_path / "padded"))
    runner = BatchRunner(
        BatchingSettings(enable_large_batch_splitting=cut, max_batch_size=8 if cut else 2, max_execution_batch_size=2)
    )
    texts = np.array([b"a", b"b", b"c d e", b"f", b"g h"], dtype=object)
    outputs = runner.run(program(model, "words"), [texts], FOREVER)
    assert b"e" in max(outputs, key=lambda output: output.dtype == object)[2]
    for output, expected in zip(outputs, program(model, "words").run([texts]), strict=True):
        assert output.tolist() == expected.tolist()
    runner.stop()
    model.close()


def test_a_full_queue_tells_the_room_that_is_left(hold, model):
    held = hold(enable_large_batch_splitting=True, max_batch_size=8, max_execution_batch_size=2, max_enqueued_batches=2)
    with pytest.raises(UnavailableError) as caught:
        held.submit(program(model, "serving_default"), np.ones((6, 2))).result(10)
    assert str(caught.value).startswith(
        "The batch scheduling queue to which this task was submitted is full; task size is 6 but scheduling capacity "
        "is only 4 (num_enqueued_batches=0, "
    )
