"""Spoken digits."""

from tests.real_data.runs import SMALL, marks, metrics_of_a_run

pytestmark = marks


SMALL_WAVENET = (
    *SMALL,
    "model.hidden_dim=8",
    "model.skip_dim=16",
    "model.dilation_depth=6",
    "model.num_stacks=1",
    "training.batch_size=16",
    "training.learning_rate=0.01",
)


def test_spoken_digits_are_recognized_and_generated(tmp_path):
    """How well the full models do it stands in docs/results.md; here every real recording comes through, the judge is
    right about most of them, and the speaker speaks to it."""
    metrics = metrics_of_a_run("digits_recognizer.yaml", tmp_path / "judge", *SMALL, "training.epochs=2")
    assert metrics["example_count"] == 300
    assert metrics["accuracy"] > 0.5, "guessing gives 0.1"
    judge = tmp_path / "judge/serving/digits_recognizer"
    clips = (f"clips.recognizer={judge}", "clips.per_label=1", "clips.min_recognized=0")
    metrics = metrics_of_a_run("digits_wavenet.yaml", tmp_path / "speaker", *SMALL_WAVENET, *clips)
    assert metrics["bits_per_sample"] < 7, "8 bits would be a guess"
    assert metrics["recognized_real"] > 0.5
    [page] = tmp_path.glob("speaker/artifacts/Review/review/*/page.html")
    assert page.read_text().count("<audio") == 20, "one clip and one recording of each digit"
