import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from components.serving_validator.requests import form_inputs, read_examples, write_warmup
from tensorflow_serving.apis import prediction_log_pb2

from components.serving_validator import component, requests, server
from components.serving_validator.comparison import find_difference
from components.serving_validator.component import validate
from serving.settings import ServingSettings
from tests.components.evaluation.tiny_models import (
    ROWS,
    SENTIMENT,
    KeywordClassifier,
    save,
    to_example,
    write_examples,
)

EXAMPLES = [to_example(row).SerializeToString() for row in ROWS]


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The servers that a test started; none may be left running."""
    started = []

    class RecordingPopen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(server.subprocess, "Popen", RecordingPopen)
    yield started
    assert all(process.poll() is not None for process in started), "a server outlived its validation"


def check(model: Path, blessing: Path, examples: list[bytes] = EXAMPLES) -> str:
    blessing.mkdir()
    return validate(model, examples, blessing, "tiny", ServingSettings())


def test_a_good_model_is_served_and_stamped_with_warmup_requests(tmp_path: Path, processes: list):
    model = save(KeywordClassifier(SENTIMENT), tmp_path / "model")
    (model / "assets.extra").mkdir()

    assert check(model, tmp_path / "blessing") == ""
    assert len(processes) == 1
    stamped = tmp_path / "blessing" / "stamped_model"
    assert not (model / "assets.extra" / "tf_serving_warmup_requests").exists(), "the model artifact is not touched"
    assert sorted(p.name for p in (tmp_path / "blessing").iterdir()) == ["server.log", "stamped_model"]

    signatures = tf.saved_model.load(str(stamped)).signatures
    records = tf.data.TFRecordDataset(str(stamped / "assets.extra" / "tf_serving_warmup_requests"))
    requests = [prediction_log_pb2.PredictionLog.FromString(r).predict_log.request for r in records.as_numpy_iterator()]
    sizes = {}
    for request in requests:
        inputs = {name: tf.constant(tf.make_ndarray(tensor)) for name, tensor in request.inputs.items()}
        answer = signatures[request.model_spec.signature_name](**inputs)
        sizes.setdefault(request.model_spec.signature_name, []).append(len(answer["label"]))
    assert sizes == {"examples": [1, 4, 16], "serving_default": [1, 4, 16]}
    assert {request.model_spec.name for request in requests} == {"tiny"}


def test_warmup_requests_of_recordings_are_whole_recordings(tmp_path: Path):
    (tmp_path / "assets.extra").mkdir()
    recordings = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_warmup(tmp_path, "tiny", {"serving_default": {"audio": recordings}})
    records = tf.data.TFRecordDataset(str(tmp_path / "assets.extra" / "tf_serving_warmup_requests"))
    requests = [prediction_log_pb2.PredictionLog.FromString(r).predict_log.request for r in records.as_numpy_iterator()]
    sent = [tf.make_ndarray(request.inputs["audio"]) for request in requests]
    assert [one.shape for one in sent] == [(1, 3), (4, 3), (16, 3)]
    assert sent[1].tolist() == [[0, 1, 2], [3, 4, 5]] * 2


class WrongInput(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "sentence")])
    def serve(self, sentence: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"label": sentence}


class ForgetfulModel(tf.Module):
    """Counts its calls, so that the served answers cannot be those in process."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"label": tf.strings.join([text, tf.strings.as_string(self.calls.assign_add(1))])}


@pytest.mark.parametrize(
    ("model", "signature", "reason"),
    [
        (WrongInput(), "serving_default", "named as the features of the examples (label, text); they are: sentence"),
        (KeywordClassifier(SENTIMENT), "other", "it has no signature serving_default; its signatures: other"),
    ],
)
def test_a_wrong_signature_is_refused_without_a_server(
    model: tf.Module, signature: str, reason: str, tmp_path: Path, processes: list
):
    tf.saved_model.save(model, str(tmp_path / "model"), signatures={signature: model.serve})
    assert reason in check(tmp_path / "model", tmp_path / "blessing")
    assert processes == []


def test_answers_that_differ_are_refused_with_the_reason_kept(tmp_path: Path):
    model = ForgetfulModel()
    tf.saved_model.save(model, str(tmp_path / "model"), signatures={"serving_default": model.serve})
    reason = check(tmp_path / "model", tmp_path / "blessing")
    assert reason.startswith('signature serving_default, 8 examples together: output "label"[0] is \'good good film')
    assert (tmp_path / "blessing" / "reason.txt").read_text() == reason + "\n"
    assert not (tmp_path / "blessing" / "stamped_model").exists()


def test_garbage_is_refused(tmp_path: Path):
    model = save(KeywordClassifier(SENTIMENT), tmp_path / "model")
    (model / "saved_model.pb").write_bytes(b"garbage")
    assert check(model, tmp_path / "blessing").startswith("TensorFlow cannot load it: ")
    assert check(model, tmp_path / "other", examples=[]).startswith("there are no examples")


def test_a_server_that_cannot_load_the_model_or_start_gives_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    model = save(KeywordClassifier(SENTIMENT), tmp_path / "model")
    write_warmup = requests.write_warmup

    def write_and_damage(served: Path, name: str, requests: dict) -> None:
        write_warmup(served, name, requests)
        (served / "saved_model.pb").write_bytes(b"garbage")

    with monkeypatch.context() as patch:
        patch.setattr(component, "write_warmup", write_and_damage)
        assert check(model, tmp_path / "blessing").startswith("the server cannot load it: ")
    with monkeypatch.context() as patch:
        patch.setattr(server, "_free_port", lambda: -1)
        assert "the server ended with status 255: Failed to start server" in check(model, tmp_path / "other")


def test_requests_are_formed_from_string_features_only():
    text, number = tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int32)
    assert form_inputs({"text": text}, EXAMPLES)["text"][1] == b"good"
    assert form_inputs({"examples": text}, EXAMPLES)["examples"][1] == EXAMPLES[1]
    assert form_inputs({"text": text, "beam_width": number}, EXAMPLES) is None
    assert form_inputs({"source": text}, EXAMPLES) is None
    assert form_inputs({"text": tf.TensorSpec([], tf.string)}, EXAMPLES) is None
    assert form_inputs({}, EXAMPLES) is None


def test_differences_are_named():
    answer = {"label": np.array([b"a", b"b"], dtype=object), "scores": np.array([[0.5, 1.0], [0.25, 0.0]])}
    padded = {"label": answer["label"], "scores": np.array([[0.50005, 1.0, 0.0], [0.25, 0.0, 0.0]])}
    assert find_difference(answer, answer) == ""
    assert find_difference(padded, answer) == "", "padding and rounding are no difference"
    other = {**answer, "scores": np.array([[0.5, 1.0], [0.251, 0.0]])}
    assert find_difference(answer, other) == 'output "scores"[1, 0] is 0.251 over gRPC, 0.25 in process'
    assert "outputs ['label'] over gRPC" in find_difference(answer, {"label": answer["label"]})
    assert "has shape (1,)" in find_difference(answer, {**answer, "label": answer["label"][:1]})
    longer = {**answer, "label": np.array([b"a", b"c"], dtype=object)}
    assert "output \"label\"[1] is 'c'" in find_difference(answer, longer)


def test_examples_are_read_as_example_gen_writes_them(tmp_path: Path):
    write_examples(tmp_path / "Split-eval", ROWS)
    assert read_examples(tmp_path / "Split-eval", 3) == EXAMPLES[:3]
    shutil.rmtree(tmp_path / "Split-eval")
    (tmp_path / "Split-eval").mkdir()
    assert read_examples(tmp_path / "Split-eval", 3) == []


def test_of_equal_scores_either_text_will_do():
    def beams(texts: list[str], scores: list[float]) -> dict[str, np.ndarray]:
        return {"target": np.array([[t.encode() for t in texts]], object), "score": np.array([scores], np.float32)}

    expected = beams(["a", "b", "c"], [-1.0, -2.0, -2.00001])
    assert not find_difference(expected, beams(["a", "b", "d"], [-1.0, -2.0, -2.0]))
    assert not find_difference(expected, beams(["a", "c", "b"], [-1.0, -2.0, -2.0])), "their order is chance"
    distinct = beams(["a", "b", "c"], [-1.0, -2.0, -3.0])
    assert not find_difference(distinct, beams(["a", "b", "d"], [-1.0, -2.0, -3.0])), "one may tie outside the beam"
    assert "target" in find_difference(distinct, beams(["a", "d", "e"], [-1.0, -2.0, -3.0])), "that is no coincidence"
    assert "target" in find_difference(beams(["a"], [-1.0]), beams(["b"], [-1.0]))
    assert "target" in find_difference(
        {"target": expected["target"]}, {"target": beams(["a", "b", "d"], [0])["target"]}
    )
    other = beams(["a", "b", "d"], [-1.0, -2.0, -2.5])
    assert find_difference(expected, other), "another score is another answer"
