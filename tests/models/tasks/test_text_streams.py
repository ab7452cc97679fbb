"""Texts drawn step by step, in company that changes, beside the same texts drawn at once."""

import itertools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.description import ModelDescription
from models.export import export
from models.registry import TASKS
from models.training import build_model
from tests.models.conftest import learn, run_settings

pytestmark = pytest.mark.minutes
CODE = TASKS["language_modeling"].code()
RECURRENT = {"architecture": "recurrent", "embedding_dim": 6, "hidden_dim": 8, "num_layers": 2}
# Windows of 8 tokens: rows move to their next ones at different steps.
GPT = {"architecture": "transformer", "embedding_dim": 6, "hidden_dim": 8, "num_layers": 2, "num_heads": 2}
GPT |= {"feed_forward_dim": 8, "context_length": 8}
# A prompt and settings: greedy, by seed, filtered, stopped, empty, longer than a window.
REQUESTS = [
    ("ab", {"temperature": 0.0, "max_length": 9}),
    ("c def c def abc d", {"seed": 3, "max_length": 20}),
    ("", {"seed": 4, "top_k": 3, "max_length": 14}),
    ("é", {"seed": 5, "top_p": 0.7, "max_length": 12}),
    ("a", {"seed": 6, "stop": "a\x1fb", "max_length": 30}),
]
DEFAULTS = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "max_length": 12, "seed": 1, "stop": ""}


def built(model: dict, unit: str, precision: str = "float32", **cutting):
    """Settings, vocabularies and a model of random weights."""
    tokenizer = {"unit": unit, "normalization": "none", "max_sequence_length": 50} | cutting
    settings = run_settings("language_modeling", model, training={"precision": precision}, tokenizer=tokenizer)
    vocabularies = learn([{"text": "abc def é ghi", "context": "", "continues": ""}], settings)
    keras.utils.set_random_seed(5)
    trained = build_model(settings, vocabularies)
    rng = np.random.default_rng(5)
    for weight in trained.trainable_variables:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    return settings, vocabularies, trained


class Exported:
    """A SavedModel of random weights, as a caller that keeps states sees it."""

    def __init__(self, folder: pathlib.Path, model: dict, unit: str, **cutting):
        settings, vocabularies, trained = built(model, unit, **cutting)
        export(trained, settings, vocabularies, str(folder), {"code_version": "0", "metrics": {}})
        self.signatures = tf.saved_model.load(str(folder)).signatures
        self.streaming = ModelDescription.read(folder).streaming

    def ask(self, signature: str, prompt: str, settings: dict) -> dict[str, np.ndarray]:
        specs = self.signatures[signature].structured_input_signature[1]
        inputs = {"prompt": prompt} | DEFAULTS | settings
        answer = self.signatures[signature](**{name: tf.constant([inputs[name]], specs[name].dtype) for name in specs})
        return {name: value.numpy() for name, value in answer.items()}

    def step(self, rows: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
        """One step of rows together: state and answer of each behind it."""
        state = {name: tf.concat([row[name] for row in rows], axis=0) for name in self.streaming.state}
        after = self.signatures[self.streaming.step](**state)
        return [
            row | {name: value[number : number + 1].numpy() for name, value in after.items()}
            for number, row in enumerate(rows)
        ]


def texts_of_streams(exported: Exported) -> list[list[dict[str, np.ndarray]]]:
    """The answers of each request after each step; the requests join two steps apart, and leave as they end."""
    waiting, running = dict(enumerate(REQUESTS)), {}
    answers: list[list[dict[str, np.ndarray]]] = [[] for _ in REQUESTS]
    for time in range(100):
        if time % 2 == 0 and waiting:
            number = next(iter(waiting))
            running[number] = exported.ask(exported.streaming.prefill, *waiting.pop(number))
        # The last to join stands first.
        order = sorted(running, reverse=True)
        for number, row in zip(order, exported.step([running[number] for number in order]), strict=True):
            running[number] = row
            answers[number].append(row)
            if not row["going"][0]:
                del running[number]
        if not running and not waiting:
            return answers
    raise AssertionError("streams do not end")


@pytest.fixture(
    scope="module",
    params=[
        (RECURRENT, {"unit": "byte"}),
        (GPT, {"unit": "character"}),
        # Most of its pieces are bytes.
        (RECURRENT, {"unit": "sentencepiece", "byte_fallback": True, "vocabulary_size": 290}),
    ],
    ids=["recurrent", "gpt", "sentencepiece"],
    name="exported",
)
def _exported(request, tmp_path_factory) -> Exported:
    model, tokenizer = request.param
    return Exported(tmp_path_factory.mktemp("streams") / "model", model, **tokenizer)


def test_streams_that_join_and_leave_end_as_the_answers_given_at_once(exported):
    for request, steps in zip(REQUESTS, texts_of_streams(exported), strict=True):
        at_once, last = exported.ask("generate", *request), steps[-1]
        assert last["text"].tolist() == at_once["text"].tolist(), request
        assert last["reason"].tolist() == at_once["reason"].tolist()
        np.testing.assert_allclose(last["score"], at_once["score"], atol=1e-4)
        assert [step["reason"].tolist() for step in steps[:-1]] == [[b""]] * (len(steps) - 1)
        for before, after in itertools.pairwise(steps[:-1]):
            assert after["text"][0].decode().startswith(before["text"][0].decode())


def test_a_row_that_has_ended_stays_as_it_is(exported):
    rows = [exported.ask("prefill", "ab", {"max_length": most, "temperature": 0.0}) for most in (1, 40)]
    first = exported.step(rows)
    assert not first[0]["going"][0]
    again = exported.step(first)
    for name in (*exported.streaming.state, "text", "score", "reason"):
        np.testing.assert_array_equal(again[0][name], first[0][name], err_msg=name)


def test_a_model_of_half_precision_has_states_that_all_clients_know():
    settings, vocabularies, model = built(GPT | {"positions": "rotary"}, "character", precision="mixed_bfloat16")
    _, specs = CODE.signatures(model, vocabularies, settings).endpoints()["step"]
    assert {spec.dtype.name for spec in specs} == {"float32", "int32", "bool", "string"}
