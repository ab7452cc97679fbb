"""Clips of models and recognizers of known behaviour."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.errors import EvaluationError
from components.review.clips.review import review, shortfalls
from components.review.component import write
from components.review.data_uri import from_data_uri
from components.review.result import Medium, ReviewResult, Sample, load_review
from components.review.settings import ClipReviewSettings
from tests.components.review.clips.tones import RATE, TONES, pitch, speaker, tone, tones, write_raw


def run(model: Path, held_out: Path, recognizer: Path | None = None, **settings) -> ReviewResult:
    folder = str(recognizer or "")
    newest = recognizer / "1" if recognizer else None
    return review(model, held_out, ClipReviewSettings(recognizer=folder, **settings), newest, lambda done, total: None)


def medium(clip: Sample, kind: str) -> Medium:
    [found] = [medium for medium in clip.media if medium.kind == kind]
    return found


def samples(clip: Sample) -> np.ndarray:
    with wave.open(io.BytesIO(from_data_uri(medium(clip, "sound").content))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767


def generated(result: ReviewResult) -> list[Sample]:
    return [clip for clip in result.samples if not clip.held_out]


@pytest.fixture(scope="module")
def judged(two_tones: Path, ears: Path, held_out: Path) -> ReviewResult:
    return run(two_tones, held_out, ears, per_label=3, seed=5, seconds=0.6, temperature=0.5)


@pytest.fixture(scope="module")
def unjudged(two_tones: Path, held_out: Path) -> ReviewResult:
    return run(two_tones, held_out, per_label=2, seed=3, temperature=0.7)


def test_each_label_gets_its_clips_with_seeds_of_their_own_after_one_recording(judged):
    assert [(clip.group, clip.expected, clip.held_out, clip.facts.get("seed")) for clip in judged.samples] == [
        ("high", "high", True, None),
        *[("high", "high", False, seed) for seed in (5, 6, 7)],
        ("low", "low", True, None),
        *[("low", "low", False, seed) for seed in (8, 9, 10)],
    ]
    assert {clip.facts["num_samples"] for clip in generated(judged)} == {600}
    assert {clip.facts["temperature"] for clip in generated(judged)} == {0.5}
    assert [clip.title for clip in judged.samples[:2]] == ["Recording", "Clip 5"]


def test_the_clips_are_the_tones_that_were_asked_for_and_are_heard_as_such(judged):
    for clip in judged.samples:
        assert len(samples(clip)) == clip.facts["num_samples"]
        assert clip.asked == {"label": clip.expected, "speaker": ""}
        assert pitch(samples(clip)[100:]) == pytest.approx(TONES[clip.expected], abs=2)
        assert clip.verdict == (clip.answer == clip.expected)
        assert 0.5 < clip.certainty <= 1
    assert judged.metrics == {"recognized": 1, "recognized_real": 1}
    assert (judged.judge, judged.shortfalls) == ("ears, version 1", [])
    assert {label: shares["recordings"].judged for label, shares in judged.shares.items()} == {"high": 5, "low": 5}


def test_shares_are_what_one_counts_in_the_list_of_clips(two_tones, held_out, deaf):
    result = run(two_tones, held_out, deaf, per_label=2, seconds=0.3, min_recognized=0.6)
    assert {clip.answer for clip in result.samples} == {"low"}
    right = sum(clip.answer == clip.expected for clip in generated(result))
    assert right == 2
    assert result.metrics == {"recognized": right / len(generated(result)), "recognized_real": 0.5}
    assert result.metrics["recognized"] == 0.5
    assert result.shares["high"]["clips"].share == 0 and result.shares["low"]["clips"].share == 1
    assert result.shortfalls == ["clips: recognized is 0.5; at least 0.6 was asked (clips.min_recognized)"]


@pytest.mark.parametrize(
    ("recognized", "least", "told"),
    [
        (0.5, None, []),
        (0.5, 0.5, []),
        (None, None, []),
        (None, 0.0, ["clips: recognized could not be measured; at least 0 was asked (clips.min_recognized)"]),
        (0.31, 0.5, ["clips: recognized is 0.31; at least 0.5 was asked (clips.min_recognized)"]),
    ],
)
def test_a_bound_that_is_not_kept_is_told(recognized, least, told):
    assert shortfalls(recognized, least) == told


def test_the_same_settings_give_the_same_review_and_another_seed_another(unjudged, two_tones, held_out):
    assert run(two_tones, held_out, per_label=2, seed=3, temperature=0.7) == unjudged
    other = run(two_tones, held_out, per_label=2, seed=4, temperature=0.7)
    pairs = zip(generated(unjudged), generated(other), strict=True)
    assert all(medium(one, "sound").content != medium(another, "sound").content for one, another in pairs)
    assert other.samples[0] == unjudged.samples[0], "the recordings do not depend on the seed"


def test_a_clip_is_what_a_client_gets_for_the_seed_and_temperature_listed(unjudged, two_tones):
    predict = tf.saved_model.load(str(two_tones)).signatures["serving_default"]
    clips = generated(unjudged)
    answer = predict(
        label=tf.constant([clip.asked["label"] for clip in clips]),
        seed=tf.constant([clip.facts["seed"] for clip in clips]),
        temperature=tf.constant([clip.facts["temperature"] for clip in clips]),
        num_samples=tf.constant([clip.facts["num_samples"] for clip in clips]),
    )["audio"].numpy()
    np.testing.assert_allclose([samples(clip) for clip in clips], answer, atol=1e-4)


def test_bits_are_those_of_the_score_signature(unjudged, two_tones):
    score = tf.saved_model.load(str(two_tones)).signatures["score"]
    for clip in unjudged.samples:
        audio, length = tf.constant([samples(clip)], tf.float32), tf.constant([clip.facts["num_samples"]])
        answer = score(audio=audio, num_samples=length, label=tf.constant([clip.asked["label"]]))
        assert clip.facts["bits_per_sample"] == pytest.approx(float(answer["bits_per_sample"][0]), rel=0.02)


def test_clips_are_as_long_as_the_median_recording_unless_said_otherwise(unjudged):
    assert {clip.facts["num_samples"] for clip in generated(unjudged)} == {400}


def test_without_a_recognizer_nothing_is_heard(unjudged):
    assert (unjudged.judge, unjudged.metrics, unjudged.shortfalls) == (None, {}, [])
    assert {clip.answer for clip in unjudged.samples} == {clip.verdict for clip in unjudged.samples} == {None}


def test_outline_and_spectrogram_stand_with_each_clip(judged):
    for clip in judged.samples:
        outline = medium(clip, "outline")
        assert len(outline.low) == len(outline.high) == 200
        assert max(outline.high) == pytest.approx(samples(clip).max(), abs=1e-3)
        image = tf.io.decode_png(from_data_uri(medium(clip, "picture").content)).numpy()
        assert image.shape[2] == 3 and image.std() > 0
        assert outline.text == f"Waveform of {clip.title}, {clip.expected}, {len(samples(clip)) / RATE:.2f} seconds"
        assert medium(clip, "picture").text == f"Spectrogram of {clip.title}, {clip.expected}, 0 to 500 Hz"
        assert medium(clip, "sound").text == f"Play {clip.title}, {clip.expected}"


def test_speakers_take_turns_over_all_labels_and_beside_stands_one_of_theirs(tmp_path):
    model = speaker(tmp_path / "model", ("speaker", "label"), speakers=("ann", "bob"))
    recordings = [("high", "bob", tone("high")), ("high", "ann", tone("high", 200)), ("low", "bob", tone("low"))]
    held_out = write_raw([*recordings, ("low", "eve", tone("low"))], tmp_path / "eval")
    result = run(model, held_out, per_label=3, seconds=0.02)
    assert [clip.asked["speaker"] for clip in generated(result)] == ["ann", "bob", "ann", "bob", "ann", "bob"]
    # Eve is unknown to the model, which could not say how probable her recording is.
    recordings_shown = [clip.asked for clip in result.samples if clip.held_out]
    assert recordings_shown == [{"label": "high", "speaker": "ann"}, {"label": "low", "speaker": "bob"}]
    assert medium(generated(result)[0], "sound").file == "clips/high_ann_0.wav"


def test_a_model_without_labels_makes_one_group_and_its_recordings_are_judged_all_the_same(tmp_path, held_out, ears):
    result = run(speaker(tmp_path / "model", ()), held_out, ears, per_label=2, seconds=0.05)
    shown = [(clip.group, clip.expected, clip.held_out) for clip in result.samples]
    assert shown == [("", "high", True), ("", "", False), ("", "", False)]
    assert list(result.shares) == [""]
    assert result.metrics == {"recognized_real": 1}
    assert generated(result)[0].answer and generated(result)[0].verdict is None


@pytest.fixture(scope="module")
def revoicer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speaker(tmp_path_factory.mktemp("revoicer") / "model", (), revoices=True)


def test_a_model_with_local_features_speaks_the_recordings_again(revoicer, tmp_path):
    recordings = [("high", "", tone("high", 300)), ("high", "", tone("high", 200)), ("low", "", tone("low", 500))]
    result = run(revoicer, write_raw(recordings, tmp_path / "eval"), per_label=3, seconds=0.4)
    assert [(clip.expected, clip.facts["num_samples"]) for clip in generated(result)] == [
        *[("high", length) for length in (300, 200, 300)],
        *[("low", 400)] * 3,
    ]
    np.testing.assert_allclose(samples(generated(result)[3]), recordings[2][2][:400], atol=1e-4)


def test_a_label_without_recordings_to_speak_again_is_noted(revoicer, tmp_path):
    result = run(revoicer, write_raw([("low", "", tone("low", 100))], tmp_path / "eval"), per_label=1)
    assert [clip.expected for clip in generated(result)] == ["low"]
    assert result.notes == ["label high: no held-out recording; no clip, since the model speaks recordings again"]


def test_an_empty_split_is_refused_with_the_way_out(two_tones, tmp_path):
    empty = write_raw([], tmp_path / "eval")
    with pytest.raises(EvaluationError, match=r"^clips\.seconds must be set where .* an empty split\. Set it"):
        run(two_tones, empty, per_label=1)
    assert len(run(two_tones, empty, per_label=1, seconds=0.02).samples) == 2


def test_progress_is_told_up_to_the_end(two_tones, held_out):
    told = []
    review(two_tones, held_out, ClipReviewSettings(per_label=20, seconds=0.01), None, lambda *step: told.append(step))
    assert told == [(32, 40), (40, 40)]


def test_only_two_hundred_recordings_are_heard(two_tones, ears, tmp_path):
    held_out = write_raw(tones(230), tmp_path / "eval")
    result = run(two_tones, held_out, ears, per_label=1, seconds=0.02)
    assert {label: shares["recordings"].judged for label, shares in result.shares.items()} == {"high": 100, "low": 100}


def test_what_is_written_is_read_again_and_nothing_half_written_stays(judged, tmp_path):
    write(judged, tmp_path)
    assert load_review(str(tmp_path)) == judged
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips", "page.html", "review.json"]
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == sorted(
        [f"high_{seed}.wav" for seed in (5, 6, 7)]
        + [f"low_{seed}.wav" for seed in (8, 9, 10)]
        + ["high_real.wav", "low_real.wav"]
    )
    for clip in judged.samples:
        sound = medium(clip, "sound")
        assert (tmp_path / sound.file).read_bytes() == from_data_uri(sound.content)


def test_labels_that_are_no_file_names_get_files_of_their_own(tmp_path):
    labels = ("../a", "..:a", "일곱")
    model = speaker(tmp_path / "model", labels=labels)
    held_out = write_raw([(label, "", tone("low", 50)) for label in labels], tmp_path / "eval")
    result = run(model, held_out, per_label=1)
    assert [medium(clip, "sound").file for clip in result.samples] == [
        "clips/-a_real.wav",
        "clips/-a_0.wav",
        "clips/-a_real_2.wav",
        "clips/-a_1.wav",
        "clips/일곱_real.wav",
        "clips/일곱_2.wav",
    ]
