"""Clips from the project's own exported models, judged by recognizers of known behaviour."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.clip_review.component import write
from components.clip_review.pictures import from_data_uri
from components.clip_review.result import Clip, ClipReviewResult, load_review
from components.clip_review.review import review
from components.clip_review.settings import ClipReviewSettings
from components.errors import EvaluationError
from tests.components.clip_review.tiny_audio import (
    RATE,
    TONES,
    WAVENET,
    pitch,
    pushed,
    settings_of,
    tone,
    tones,
    untrained,
    write_raw,
)


def run(model: Path, held_out: Path, recognizer: Path | None = None, **settings) -> ClipReviewResult:
    folder = str(recognizer.parent) if recognizer else ""
    return review(
        model, held_out, ClipReviewSettings(recognizer=folder, **settings), recognizer, lambda done, total: None
    )


def samples(clip: Clip) -> np.ndarray:
    with wave.open(io.BytesIO(from_data_uri(clip.wav))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def generated(result: ClipReviewResult) -> list[Clip]:
    return [clip for clip in result.clips if not clip.real]


@pytest.fixture(scope="module")
def judged(two_tones: Path, ears: Path, held_out: Path) -> ClipReviewResult:
    return run(two_tones, held_out, ears, per_label=3, seed=5, seconds=0.6, temperature=0.5)


@pytest.fixture(scope="module")
def unjudged(two_tones: Path, held_out: Path) -> ClipReviewResult:
    return run(two_tones, held_out, per_label=2, seed=3, temperature=0.7)


def test_each_label_gets_its_clips_with_seeds_of_their_own_after_one_recording(judged):
    assert [(clip.label, clip.real, clip.seed) for clip in judged.clips] == [
        ("high", True, None),
        *[("high", False, seed) for seed in (5, 6, 7)],
        ("low", True, None),
        *[("low", False, seed) for seed in (8, 9, 10)],
    ]
    assert {clip.num_samples for clip in generated(judged)} == {600}
    assert {clip.temperature for clip in generated(judged)} == {0.5}


def test_the_clips_are_the_tones_that_were_asked_for_and_are_heard_as_such(judged):
    for clip in judged.clips:
        assert len(samples(clip)) == clip.num_samples
        assert pitch(samples(clip)[100:]) == pytest.approx(TONES[clip.label], abs=12)
        assert clip.recognized == (clip.heard == clip.label)
        assert 0.5 < clip.heard_probability <= 1
    # A few clips sound hoarse; nothing but chance would make it half.
    assert judged.recognized == sum(clip.recognized for clip in generated(judged)) / 6 >= 5 / 6
    assert (judged.recognized_real, judged.recognizer) == (1, "toy, version 1")
    assert {label: shares.real.clips for label, shares in judged.by_label.items()} == {"high": 5, "low": 5}


def test_shares_are_what_one_counts_in_the_list_of_clips(two_tones, held_out, tmp_path):
    # Hears "low" in everything that it calls high too.
    deaf = pushed(tmp_path / "deaf", high="low") / "1"
    result = run(two_tones, held_out, deaf, per_label=2, seconds=0.3, min_recognized=0.6)
    assert {clip.heard for clip in result.clips} == {"low"}
    right = sum(clip.heard == clip.label for clip in generated(result))
    assert right == 2
    assert result.recognized == right / len(generated(result)) == result.recognized_real == 0.5
    assert result.by_label["high"].generated.share == 0 and result.by_label["low"].generated.share == 1
    assert result.metrics == {"recognized": 0.5, "recognized_real": 0.5}
    assert result.shortfalls == ["clips: recognized is 0.5; at least 0.6 was asked (clips.min_recognized)"]
    assert not result.model_copy(update={"min_recognized": 0.5}).shortfalls


def test_the_same_settings_give_the_same_review_and_another_seed_another(unjudged, two_tones, held_out):
    assert run(two_tones, held_out, per_label=2, seed=3, temperature=0.7) == unjudged
    other = run(two_tones, held_out, per_label=2, seed=4, temperature=0.7)
    assert all(one.wav != another.wav for one, another in zip(generated(unjudged), generated(other), strict=True))
    assert other.clips[0] == unjudged.clips[0], "the recordings do not depend on the seed"


def test_a_clip_is_what_a_client_gets_for_the_seed_and_temperature_listed(unjudged, two_tones):
    predict = tf.saved_model.load(str(two_tones)).signatures["serving_default"]
    clips = generated(unjudged)
    answer = predict(
        label=tf.constant([clip.label for clip in clips]),
        seed=tf.constant([clip.seed for clip in clips]),
        temperature=tf.constant([clip.temperature for clip in clips]),
        num_samples=tf.constant([clip.num_samples for clip in clips]),
    )["audio"].numpy()
    np.testing.assert_allclose([samples(clip) for clip in clips], answer, atol=1e-4)


def test_clips_are_as_long_as_the_median_recording_unless_said_otherwise(unjudged):
    assert {clip.num_samples for clip in generated(unjudged)} == {400}


def test_without_a_recognizer_nothing_is_heard(unjudged):
    assert (unjudged.recognizer, unjudged.recognized, unjudged.recognized_real) == (None, None, None)
    assert unjudged.metrics == {}
    assert {clip.heard for clip in unjudged.clips} == {None}


def test_bits_are_those_of_the_score_signature(unjudged, two_tones):
    score = tf.saved_model.load(str(two_tones)).signatures["score"]
    for clip in unjudged.clips:
        audio = tf.constant([samples(clip)], tf.float32)
        answer = score(audio=audio, num_samples=tf.constant([clip.num_samples]), label=tf.constant([clip.label]))
        assert clip.bits_per_sample == pytest.approx(float(answer["bits_per_sample"][0]), rel=0.02)


def test_outline_and_spectrogram_stand_with_each_clip(judged):
    for clip in judged.clips:
        assert len(clip.waveform_low) == len(clip.waveform_high) == 200
        assert max(clip.waveform_high) == pytest.approx(samples(clip).max(), abs=1e-3)
        image = tf.io.decode_png(from_data_uri(clip.spectrogram)).numpy()
        assert image.shape[2] == 3 and image.std() > 0


def test_speakers_take_turns_over_all_labels_and_beside_stands_one_of_theirs(tmp_path):
    settings = settings_of("audio_generation", {**WAVENET, "condition_on": ["speaker", "label"]})
    model = untrained(settings, tmp_path / "model", speakers=("ann", "bob"))
    recordings = [("high", "bob", tone("high")), ("high", "ann", tone("high", 200)), ("low", "bob", tone("low"))]
    held_out = write_raw([*recordings, ("low", "eve", tone("low"))], tmp_path / "eval")
    result = run(model, held_out, per_label=3, seconds=0.02)
    assert [clip.speaker for clip in generated(result)] == ["ann", "bob", "ann", "bob", "ann", "bob"]
    # Eve is unknown to the model, which could not say how probable her recording is.
    assert [(clip.label, clip.speaker) for clip in result.clips if clip.real] == [("high", "ann"), ("low", "bob")]


def test_a_model_without_labels_makes_one_group_and_its_recordings_are_judged_all_the_same(tmp_path, held_out):
    model = untrained(settings_of("audio_generation", WAVENET), tmp_path / "model")
    result = run(model, held_out, pushed(tmp_path / "ears") / "1", per_label=2, seconds=0.05)
    assert [(clip.label, clip.real) for clip in result.clips] == [("high", True), ("", False), ("", False)]
    assert list(result.by_label) == [""]
    assert (result.recognized, result.recognized_real) == (None, 1)
    assert generated(result)[0].heard and generated(result)[0].recognized is None


@pytest.fixture(scope="module")
def copier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = settings_of("audio_generation", {**WAVENET, "local_features": "log_mel", "frame_step": 20})
    return untrained(settings, tmp_path_factory.mktemp("copier") / "model")


def test_a_model_with_local_features_speaks_the_recordings_again(copier, tmp_path):
    recordings = [("high", "", tone("high", 300)), ("high", "", tone("high", 200)), ("low", "", tone("low", 500))]
    result = run(copier, write_raw(recordings, tmp_path / "eval"), per_label=3, seconds=0.4)
    assert [(clip.label, clip.num_samples) for clip in generated(result)] == [
        *[("high", length) for length in (300, 200, 300)],
        *[("low", 400)] * 3,
    ]


def test_a_label_without_recordings_to_speak_again_is_noted(copier, tmp_path):
    result = run(copier, write_raw([("low", "", tone("low", 100))], tmp_path / "eval"), per_label=1)
    assert [clip.label for clip in generated(result)] == ["low"]
    assert result.notes == ["label high: no held-out recording; no clip, since the model speaks recordings again"]


def test_an_empty_split_is_refused_with_the_way_out(two_tones, tmp_path):
    empty = write_raw([], tmp_path / "eval")
    with pytest.raises(EvaluationError, match=r"^clips\.seconds must be set where .* an empty split\. Set it"):
        run(two_tones, empty, per_label=1)
    assert len(run(two_tones, empty, per_label=1, seconds=0.02).clips) == 2


def test_progress_is_told_up_to_the_end(two_tones, held_out):
    told = []
    review(two_tones, held_out, ClipReviewSettings(per_label=20, seconds=0.01), None, lambda *step: told.append(step))
    assert told == [(32, 40), (40, 40)]


def test_only_two_hundred_recordings_are_heard(two_tones, tmp_path):
    held_out = write_raw(tones(230), tmp_path / "eval")
    result = run(two_tones, held_out, pushed(tmp_path / "ears") / "1", per_label=1, seconds=0.02)
    assert {label: shares.real.clips for label, shares in result.by_label.items()} == {"high": 100, "low": 100}


def test_what_is_written_is_read_again_and_nothing_half_written_stays(judged, tmp_path):
    write(judged, tmp_path)
    assert load_review(str(tmp_path)) == judged
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "clips.json", "page.html"]
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == sorted(
        [f"high_{seed}.wav" for seed in (5, 6, 7)]
        + [f"low_{seed}.wav" for seed in (8, 9, 10)]
        + ["high_real.wav", "low_real.wav"]
    )
    for clip in judged.clips:
        assert (tmp_path / clip.file).read_bytes() == from_data_uri(clip.wav)


def test_labels_that_are_no_file_names_get_files_of_their_own(tmp_path):
    model = untrained(
        settings_of("audio_generation", {**WAVENET, "condition_on": ["label"]}),
        tmp_path / "model",
        labels=("../a", "..:a", "일곱"),
    )
    clips = [(label, "", tone("low", 50)) for label in ("../a", "..:a", "일곱")]
    result = run(model, write_raw(clips, tmp_path / "eval"), per_label=1)
    assert [clip.file for clip in result.clips] == [
        "clips/-a_real.wav",
        "clips/-a_0.wav",
        "clips/-a_real_2.wav",
        "clips/-a_1.wav",
        "clips/일곱_real.wav",
        "clips/일곱_2.wav",
    ]
