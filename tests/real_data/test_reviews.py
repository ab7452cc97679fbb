"""Reviews, in English and in Korean."""

from tests.real_data.runs import SMALL_TEXT, marks, metrics_of_a_run

pytestmark = marks


def test_english_reviews(tmp_path):
    # Guessing gives 0.5; the shrunk model need only be clearly better.
    metrics = metrics_of_a_run("sentiment_rt.yaml", tmp_path, *SMALL_TEXT, "training.learning_rate=0.003")
    assert metrics["accuracy"] > 0.65


def test_korean_reviews(tmp_path):
    overrides = ("tokenizer.unit=character", "tokenizer.vocabulary_size=2000")
    metrics = metrics_of_a_run("sentiment_nsmc.yaml", tmp_path, *SMALL_TEXT, *overrides)
    assert metrics["accuracy"] > 0.7
