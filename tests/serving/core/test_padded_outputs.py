"""Outputs that are padded to the longest row of a batch are cut to what a request by itself gets."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.core.padded_outputs import PaddedAxis, cut
from tests.serving import saved_models
from tests.serving.rest.http_call import call

TOGETHER = {"num_batch_threads": 1, "batch_timeout_micros": 500_000, "max_batch_size": 4}


@pytest.fixture(scope="module")
def padded(tmp_path_factory):
    return saved_models.save_padded(tmp_path_factory.mktemp("padded") / "model")


@pytest.fixture
def start(serve, base, padded):
    saved_models.publish(padded, base, 1)
    return lambda **batching: serve(batching=TOGETHER | batching)


def strings(*values: str) -> tensor_pb2.TensorProto:
    return tf.make_tensor_proto(list(values), tf.string, (len(values),))


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


# Signature, output filter, a request, and longer ones that are asked beside it.
CASES = {
    "an input tells": ("", (), {"text": ["a"], "k": numbers(2)}, {"text": ["b"], "k": numbers(5)}),
    "two rows": ("", (), {"text": ["a", "b"], "k": numbers(2, 3)}, {"text": ["b"], "k": numbers(5)}),
    "an input within limits": ("", (), {"text": ["a"], "k": numbers(1)}, {"text": ["b"], "k": numbers(9)}),
    "padding tells": ("words", (), {"text": ["a b"]}, {"text": ["c d e", "f"]}),
    "nothing but padding": ("words", (), {"text": [""]}, {"text": ["c d e"]}),
    "an output that is not asked for tells": ("words", ("pairs",), {"text": ["a b"]}, {"text": ["c d e"]}),
    "lengths tell": ("counted", (), {"text": ["a b"]}, {"text": ["c d e"]}),
    "lengths that are not asked for tell": ("counted", ("words",), {"text": ["a b"]}, {"text": ["c d e"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_neighbour_does_not_show_in_an_answer(start, case):
    signature, filter, short, long = CASES[case]
    server, stub = start()

    def ask(*requests):
        asked = [
            stub.prediction.Predict.future(stub.request(signature, filter=filter, **one), timeout=20)
            for one in requests
        ]
        return [_arrays(one.result()) for one in asked]

    [[alone], [long_alone]] = ask(short), ask(long)
    runs = server._runner.executor.num_runs
    together = ask(short, long)
    assert server._runner.executor.num_runs == runs + 1, "they did not share a batch"
    assert together == [alone, long_alone]
    assert not filter or {name for name, _, _ in alone} == set(filter)


def _arrays(response) -> list:
    arrays = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
    return [(name, array.shape, array.tolist()) for name, array in sorted(arrays.items())]


def test_answers_over_rest_are_cut_too(start):
    server, _ = start(batch_timeout_micros=0)
    reply = call(server, "POST", "/v1/models/m:predict", {"inputs": {"text": ["a"], "k": [2]}})
    assert reply.json == {"outputs": {"target": [["a", "a"]], "score": [[0.5, 0.5]]}}


@pytest.mark.parametrize(
    "said", ['{"padded_axes": {"serving_default": [{"told_by": 1}]}}', "[", "[]", '{"padded_axes": 1}']
)
def test_a_description_of_another_form_changes_nothing(serve, base, padded, said, caplog):
    version = saved_models.publish(padded, base, 1)
    (version / "assets.extra" / "seqline.json").write_text(said)
    _, stub = serve(enable_model_warmup=False)
    assert stub.predict(text=["a"], k=numbers(1)).outputs["target"].string_val == [b"a"]
    assert "outputs stay as long as a batch makes them" in caplog.text


# Signature, its inputs, and the shapes of its outputs.
EMPTY = [
    ("", {"text": strings(), "k": numbers()}, {"target": (0, 1), "score": (0, 1)}),
    ("words", {"text": strings()}, {"words": (0, 1), "pairs": (0, 1, 1), "count": (0,)}),
    ("counted", {"text": strings()}, {"words": (0, 0), "pairs": (0, 0, 0), "count": (0,)}),
]


@pytest.mark.parametrize("batching", [{}, {"enabled": False}], ids=["batching", "no batching"])
@pytest.mark.parametrize(("signature", "inputs", "shapes"), EMPTY)
def test_no_rows_in_no_rows_out(start, signature, inputs, shapes, batching):
    _, stub = start(**batching)
    response = stub.predict(signature, **inputs)
    assert {name: tf.make_ndarray(proto).shape for name, proto in response.outputs.items()} == shapes


def test_no_rows_over_rest(start):
    server, _ = start(batch_timeout_micros=0)
    reply = call(server, "POST", "/v1/models/m:predict", {"inputs": {"text": [], "k": []}})
    assert (reply.status, reply.json) == (200, {"outputs": {"target": [], "score": []}})


@pytest.mark.parametrize(
    "axis",
    [
        {"outputs": {"found": 5}, "told_by": "k"},
        {"outputs": {"found": 0}, "told_by": "k"},
        {"outputs": {"found": -1}, "told_by": "k"},
        {"outputs": {"found": 1}, "told_by": "texts"},
        {"outputs": {"found": 1}, "told_by": "nan"},
    ],
    ids=str,
)
def test_what_cannot_be_so_cuts_nothing(axis):
    inputs = {"k": numbers(1, 2), "texts": np.array([b"a", b"b"], object), "nan": np.array([np.nan])}
    outputs = {"found": np.ones((2, 3))}
    assert cut(outputs, inputs, [PaddedAxis(**axis)])["found"].shape == (2, 3)
