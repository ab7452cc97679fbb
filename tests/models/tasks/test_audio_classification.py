"""Recordings: turned into frames, learned, exported and asked."""

import json

import numpy as np
import pytest
import tensorflow as tf

from models.export import export
from models.input_pipeline import longest_length
from models.registry import TASKS
from models.tasks.audio_classification import frames_of
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model, train
from tests.models.conftest import examples_of, run_settings

RATE, STEP = 1000, 10
TASK = TASKS["audio_classification"].code()
LABELS = ["high", "low", "noise", "silence"]
VOCABULARIES = Vocabularies(TokenizerSettings(), {}, {"label": LABELS, "speaker": ["", "ann"]})
MODEL = {"architecture": "gated_conv", "hidden_dim": 16, "num_layers": 2, "squeeze_excitation": 4, "dropout": 0.1}


def settings_of(**training):
    return run_settings(
        "audio_classification",
        MODEL,
        training={"batch_size": 8, "length_buckets": 2, **training},
        audio={"sample_rate": RATE},
    )


def clip(label: str, num_samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(num_samples) / RATE
    hertz = {"high": 200, "low": 60}.get(label)
    if hertz:
        return (rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * hertz * time + rng.uniform(0, 6))).astype("float32")
    return (rng.uniform(-1, 1, num_samples) * {"noise": 0.5, "silence": 0.0}[label]).astype("float32")


def clips(count: int, seed: int) -> list[tuple[str, np.ndarray]]:
    lengths = np.random.default_rng(seed).integers(80, 400, count)
    return [
        (LABELS[number % 4], clip(LABELS[number % 4], length, seed + number)) for number, length in enumerate(lengths)
    ]


def raw(audio, *labels: str, speaker: str = "") -> dict:
    return {
        "audio": audio,
        "label": tf.constant([[one] for one in labels]),
        "speaker": tf.fill([len(labels), 1], speaker),
    }


def write(examples: list[tuple[str, np.ndarray]], file) -> str:
    """Writes what the Transform stage would."""
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for label, audio in examples:
            features = TASK.preprocess(raw(tf.constant([audio]), label), VOCABULARIES)
            example = tf.train.Example()
            for name, value in features.items():
                numbers = value.values if isinstance(value, tf.SparseTensor) else value
                stored = example.features.feature[name]
                (stored.int64_list if numbers.dtype.is_integer else stored.float_list).value.extend(numbers.numpy())
            writer.write(example.SerializeToString())
    return str(file)


def side_by_side(*audio: np.ndarray, behind: float = 0.0) -> dict[str, tf.Tensor]:
    longest = max(len(one) for one in audio)
    padded = [np.pad(one, (0, longest - len(one)), constant_values=behind) for one in audio]
    return {"audio": tf.constant(np.stack(padded), tf.float32), "num_samples": tf.constant([len(one) for one in audio])}


# === Features ===


def test_dense_recordings_keep_their_samples_of_zero():
    audio = tf.constant([[0.0, 0.5, -0.5], [0.0, 0.0, 0.0]])
    features = TASK.preprocess(raw(audio, "low", "silence"), VOCABULARIES)
    assert set(features) == {"audio", "label_id"}
    assert features["audio"].dtype == tf.float32
    assert tf.sparse.to_dense(features["audio"], 9.0).numpy().tolist() == audio.numpy().tolist()
    assert features["label_id"].numpy().tolist() == [1, 3]


def test_recordings_of_different_lengths_keep_them():
    audio = tf.RaggedTensor.from_row_lengths(tf.constant([0.0, 0.5, 0.0, 1.0]), [3, 0, 1]).to_sparse()
    features = TASK.preprocess(raw(audio, "low", "low", "high", speaker="ann"), VOCABULARIES)
    assert tf.RaggedTensor.from_sparse(features["audio"]).to_list() == [[0.0, 0.5, 0.0], [], [1.0]]


def test_an_unknown_label_has_the_id_that_it_has_in_every_task():
    audio = tf.constant([[0.5], [0.5]])
    assert TASK.preprocess(raw(audio, "middle", "low"), VOCABULARIES)["label_id"].numpy().tolist() == [-1, 1]
    letters = {"text": [*SPECIAL_TOKENS, "a", "b"]}
    texts = Vocabularies(TokenizerSettings(unit="character"), letters, {"label": LABELS})
    text = {"text": tf.constant([["a"], ["b"]]), "label": tf.constant([["middle"], ["low"]])}
    assert TASKS["text_classification"].code().preprocess(text, texts)["label_id"].numpy().tolist() == [-1, 1]


@pytest.mark.parametrize(("num_samples", "num_frames"), [(1, 1), (9, 1), (10, 1), (11, 2), (230, 23), (231, 24)])
def test_every_frame_begun_is_real(num_samples, num_frames):
    inputs = frames_of(tf.zeros([2, 300]), tf.constant([num_samples, 300]), settings_of())
    assert inputs["frames"].shape == (2, 30, 40)
    assert inputs["num_frames"].numpy().tolist() == [num_frames, 30]
    assert inputs["num_frames"].dtype == tf.int32


def test_training_reads_the_frames_that_serving_computes(tmp_path):
    settings = settings_of()
    examples = clips(4, 1)
    read = examples_of(write(examples, tmp_path / "clips.gz"), settings)
    for (inputs, label_id, weight), (label, audio) in zip(read, examples, strict=True):
        assert (label_id, weight) == (LABELS.index(label), 1.0)
        served = frames_of(tf.constant(audio[None]), tf.constant([len(audio)]), settings)
        assert inputs["num_frames"] == len(inputs["frames"]) == -(-len(audio) // STEP)
        np.testing.assert_allclose(inputs["frames"], served["frames"][0], atol=1e-4)
        assert longest_length(inputs, label_id, weight) == inputs["num_frames"]


# === Learning, exporting, asking ===


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    """A model that learned to tell tones, noise and silence apart, exported; with its signatures in Keras."""
    folder = tmp_path_factory.mktemp("recognizer")
    # So few steps that the normalization of the bands must be learned quickly.
    settings = settings_of(epochs=2, learning_rate=0.01)
    files = [write(clips(count, seed), folder / f"{seed}.gz") for count, seed in ((96, 1000), (32, 2000))]
    model, state = train(settings, VOCABULARIES, files[:1], files[1:], str(folder / "checkpoints"))
    export(model, settings, VOCABULARIES, str(folder / "model"), {"code_version": "0", "metrics": {}})
    signatures = TASK.signatures(model, VOCABULARIES, settings)
    return folder / "model", tf.saved_model.load(str(folder / "model")).signatures, signatures, state


def test_tells_tones_noise_and_silence_apart(recognizer):
    _, loaded, _, state = recognizer
    assert state.best_metrics["val_accuracy"] > 0.95
    unseen = clips(40, 3000)
    answer = loaded["serving_default"](**side_by_side(*(audio for _, audio in unseen)))
    right = [given.decode() == label for given, (label, _) in zip(answer["label"].numpy(), unseen, strict=True)]
    assert np.mean(right) > 0.95


def test_the_exported_model_answers_as_keras_does(recognizer):
    _, loaded, signatures, _ = recognizer
    request = side_by_side(*(audio for _, audio in clips(8, 4000)))
    answer, in_keras = loaded["serving_default"](**request), signatures.predict(**request)
    assert answer["scores"].dtype == tf.float32
    np.testing.assert_allclose(answer["scores"], in_keras["scores"], atol=1e-5)
    np.testing.assert_allclose(np.sum(answer["scores"], axis=1), 1, atol=1e-5)
    assert answer["label"].numpy().tolist() == in_keras["label"].numpy().tolist()
    assert answer["classes"].numpy().tolist() == [[label.encode() for label in LABELS]] * 8


@pytest.mark.parametrize("num_samples", [95, 230, 231])
@pytest.mark.parametrize("behind", [0.0, 0.7])
def test_padding_and_batch_mates_change_no_score(num_samples, behind):
    settings = settings_of()
    model = build_model(settings, VOCABULARIES)
    # Fresh biases are zero, and padding would look like nothing.
    rng = np.random.default_rng(5)
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, 0.15, weight.shape))
    signatures = TASK.signatures(model, VOCABULARIES, settings)
    audio = clip("noise", num_samples)
    alone = signatures.predict(**side_by_side(audio))["scores"]
    beside = signatures.predict(**side_by_side(clip("high", 400), audio, clip("low", 50), behind=behind))["scores"]
    assert np.abs(beside[0] - beside[1]).max() > 1e-3
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-5)


def example_of(audio: np.ndarray) -> bytes:
    example = tf.train.Example()
    example.features.feature["audio"].float_list.value.extend(audio)
    example.features.feature["label"].bytes_list.value.append(b"high")
    return example.SerializeToString()


def test_serialized_examples_are_answered_as_their_recordings(recognizer):
    _, loaded, _, _ = recognizer
    recordings = [audio for _, audio in clips(5, 6000)]
    plain = loaded["serving_default"](**side_by_side(*recordings))
    answer = loaded["examples"](examples=tf.constant([example_of(audio) for audio in recordings]))
    assert answer["label"].numpy().tolist() == plain["label"].numpy().tolist()
    np.testing.assert_allclose(answer["scores"], plain["scores"], atol=1e-6)
    np.testing.assert_array_equal(answer["classes"], plain["classes"])


def test_recordings_without_a_sample_are_answered(recognizer):
    _, loaded, _, _ = recognizer
    beside = loaded["serving_default"](**side_by_side(np.zeros(0), clip("high", 200)))["scores"]
    alone = loaded["serving_default"](**side_by_side(np.zeros(0)))["scores"]
    assert np.isfinite(alone).all()
    np.testing.assert_allclose(beside[0], alone[0], atol=1e-5)
    read = loaded["examples"](examples=tf.constant([example_of(np.zeros(0))] * 2))["scores"]
    np.testing.assert_allclose(read, [alone[0]] * 2, atol=1e-5)


def test_a_length_beyond_the_recording_means_all_of_it(recognizer):
    _, loaded, _, _ = recognizer
    audio = tf.constant([clip("high", 203)] * 2)
    scores = loaded["serving_default"](audio=audio, num_samples=tf.constant([203, 9000]))["scores"]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)


def test_no_input_is_a_setting_of_the_request(recognizer):
    folder, loaded, signatures, _ = recognizer
    assert signatures.request_settings == ()
    described = json.loads((folder / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
    assert (described["request_defaults"], described["labels"]) == ({}, LABELS)
    inputs = loaded["serving_default"].structured_input_signature[1]
    assert {name: (spec.shape.as_list(), spec.dtype) for name, spec in inputs.items()} == {
        "audio": ([None, None], tf.float32),
        "num_samples": ([None], tf.int32),
    }
