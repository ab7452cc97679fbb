"""Models as the Trainer exports them, untrained: what the oracles of the other tests stand for."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.review.clips.review import review
from components.review.result import ReviewResult
from components.review.settings import ClipReviewSettings
from models.export import export
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model
from tests.components.review.clips.test_review import generated, medium, samples
from tests.components.review.clips.tones import RATE
from tests.models.conftest import run_settings

WAVENET = {"architecture": "wavenet", "hidden_dim": 8, "skip_dim": 16, "dilation_depth": 4, "num_stacks": 1}
CONV = {"architecture": "gated_conv", "hidden_dim": 8, "num_layers": 1, "dropout": 0.0}


def untrained(task: str, model: dict, folder: Path, speakers: tuple[str, ...] = ("",)) -> Path:
    settings = run_settings(task, model, audio={"sample_rate": RATE})
    vocabularies = Vocabularies(settings.tokenizer, {}, {"label": ["high", "low"], "speaker": list(speakers)})
    facts = {"code_version": "0", "metrics": {}}
    export(build_model(settings, vocabularies), settings, vocabularies, str(folder), facts)
    return folder


@pytest.fixture(scope="module")
def wavenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = {**WAVENET, "condition_on": ["label", "speaker"]}
    return untrained("audio_generation", model, tmp_path_factory.mktemp("wavenet") / "model", ("ann", "bob"))


@pytest.fixture(scope="module")
def reviewed(wavenet: Path, held_out: Path, tmp_path_factory: pytest.TempPathFactory) -> ReviewResult:
    recognizer = untrained("audio_classification", CONV, tmp_path_factory.mktemp("ears") / "7")
    settings = ClipReviewSettings(per_label=2, seconds=0.05, temperature=0.7, seed=3)
    return review(wavenet, held_out, settings, recognizer, lambda done, total: None)


def test_a_clip_is_what_a_client_gets_for_what_is_listed(reviewed, wavenet):
    predict = tf.saved_model.load(str(wavenet)).signatures["serving_default"]
    clips = generated(reviewed)
    assert [clip.asked for clip in clips] == [
        {"label": label, "speaker": speaker} for label in ("high", "low") for speaker in ("ann", "bob")
    ]
    answer = predict(
        label=tf.constant([clip.asked["label"] for clip in clips]),
        speaker=tf.constant([clip.asked["speaker"] for clip in clips]),
        seed=tf.constant([clip.facts["seed"] for clip in clips]),
        temperature=tf.constant([clip.facts["temperature"] for clip in clips]),
        num_samples=tf.constant([clip.facts["num_samples"] for clip in clips]),
    )["audio"].numpy()
    np.testing.assert_allclose([samples(clip) for clip in clips], answer, atol=1e-4)
    assert medium(clips[0], "sound").file == "clips/high_ann_3.wav"


def test_bits_are_those_of_the_score_signature(reviewed, wavenet):
    score = tf.saved_model.load(str(wavenet)).signatures["score"]
    for clip in generated(reviewed):
        asked = {name: tf.constant([value]) for name, value in clip.asked.items()}
        audio, length = tf.constant([samples(clip)], tf.float32), tf.constant([clip.facts["num_samples"]])
        answer = score(audio=audio, num_samples=length, **asked)
        assert clip.facts["bits_per_sample"] == pytest.approx(float(answer["bits_per_sample"][0]), rel=0.02)


def test_a_recognizer_says_one_of_its_labels_and_how_sure_it_is(reviewed):
    assert reviewed.judge == "toy, version 7"
    for clip in reviewed.samples:
        assert clip.answer in ("high", "low") and 0.5 <= clip.certainty <= 1
    assert reviewed.shares["high"]["clips"].judged == 2


def test_a_model_with_local_features_speaks_recordings_again(held_out, tmp_path):
    model = {**WAVENET, "local_features": "log_mel", "frame_step": 20}
    revoicer = untrained("audio_generation", model, tmp_path / "model")
    result = review(revoicer, held_out, ClipReviewSettings(per_label=1, seconds=0.1), None, lambda done, total: None)
    assert [(clip.expected, clip.facts["num_samples"]) for clip in generated(result)] == [("high", 100), ("low", 100)]
