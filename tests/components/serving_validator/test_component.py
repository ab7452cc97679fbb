import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components import server_process
from components.errors import NotServableError
from components.serving_validator import component, server, warmup
from components.serving_validator.answers import read_examples, requests_and_answers
from components.serving_validator.comparison import compare_served
from components.serving_validator.component import validate
from components.serving_validator.warmup import write_warmup
from models.description import ModelDescription
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

    monkeypatch.setattr(server_process.subprocess, "Popen", RecordingPopen)
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
    write_warmup = warmup.write_warmup

    def write_and_damage(served: Path, name: str, requests: dict) -> None:
        write_warmup(served, name, requests)
        (served / "saved_model.pb").write_bytes(b"garbage")

    with monkeypatch.context() as patch:
        patch.setattr(component, "write_warmup", write_and_damage)
        assert check(model, tmp_path / "blessing").startswith("the server cannot load it: ")
    with monkeypatch.context() as patch:
        patch.setattr(server.ports, "bind", lambda host, port: -1)
        assert "the server ended with status 255: Failed to start server" in check(model, tmp_path / "other")


class Recorder(tf.Module):
    """Says how many samples of a recording it was told of, and plays as many."""

    SOUND = (tf.TensorSpec([None, None], tf.float32, "audio"), tf.TensorSpec([None], tf.int32, "num_samples"))
    TEMPERATURE = tf.TensorSpec([None], tf.float32, "temperature")

    @tf.function(input_signature=[*SOUND])
    def score(self, audio: tf.Tensor, num_samples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"log_prob": tf.reduce_sum(audio, axis=1), "num_samples": num_samples}

    @tf.function(input_signature=[*SOUND, TEMPERATURE])
    def play(self, audio: tf.Tensor, num_samples: tf.Tensor, temperature: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"audio": audio[:, : tf.reduce_max(num_samples)], "num_samples": num_samples}


def test_a_recording_is_scored_whole_and_played_for_a_moment(tmp_path: Path):
    model = Recorder()
    tf.saved_model.save(model, str(tmp_path), signatures={"serving_default": model.play, "score": model.score})
    probes = {"num_samples": 2, "temperature": 0.0, "seed": 1}
    ModelDescription(
        name="r", task="audio_generation", architecture="wavenet", settings={}, request_defaults=probes
    ).write(tmp_path)
    floats = [tf.train.FloatList(value=[0.25] * length) for length in (5, 3, 1)]
    features = [tf.train.Features(feature={"audio": tf.train.Feature(float_list=each)}) for each in floats]
    requests, answers = requests_and_answers(
        tmp_path, [tf.train.Example(features=each).SerializeToString() for each in features]
    )
    assert answers["score"]["num_samples"].tolist() == [5, 3, 1]
    assert answers["score"]["log_prob"].tolist() == [1.25, 0.75, 0.25]
    assert answers["serving_default"]["num_samples"].tolist() == [2, 2, 1]
    assert requests["serving_default"]["audio"].shape == (3, 5)


class Lookup:
    """A client whose server answers by a table of rows."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    def predict(self, inputs: dict[str, np.ndarray], signature: str) -> dict[str, np.ndarray]:
        texts = np.array([self.answers[text] for text in inputs["source"]], object)
        return {"target": texts, "score": np.zeros(len(texts), np.float32)}


def test_a_tie_among_many_is_no_reason_to_refuse_and_many_are():
    inputs = {"source": np.array(["a", "b", "c"], object)}
    expected = {"target": np.array([b"A", b"B", b"C"], object), "score": np.zeros(3, np.float32)}
    compare_served(Lookup({"a": b"A", "b": b"X", "c": b"C"}), "serving_default", inputs, expected)
    with pytest.raises(NotServableError, match=r"^signature s, 3 examples together: output \"target\"\[1\] is 'X'"):
        compare_served(Lookup({"a": b"A", "b": b"X", "c": b"X"}), "s", inputs, expected)


def test_the_example_whose_answer_changes_alone_is_named():
    class Forgetful(Lookup):
        def predict(self, inputs: dict[str, np.ndarray], signature: str) -> dict[str, np.ndarray]:
            outputs = super().predict(inputs, signature)
            return outputs | {"score": np.full(len(outputs["score"]), float(list(inputs["source"]) == ["b"]))}

    inputs = {"source": np.array(["a", "b", "c"], object)}
    expected = {"target": np.array([b"A", b"B", b"C"], object), "score": np.zeros(3)}
    with pytest.raises(NotServableError, match=r'^signature s, example 1 alone: output "score"\[1\] is 1 over gRPC'):
        compare_served(Forgetful({"a": b"A", "b": b"B", "c": b"C"}), "s", inputs, expected)


def test_examples_are_read_as_example_gen_writes_them(tmp_path: Path):
    write_examples(tmp_path / "Split-eval", ROWS)
    assert read_examples(tmp_path / "Split-eval", 3) == EXAMPLES[:3]
    shutil.rmtree(tmp_path / "Split-eval")
    (tmp_path / "Split-eval").mkdir()
    assert read_examples(tmp_path / "Split-eval", 3) == []
