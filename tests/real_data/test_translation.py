"""English to German."""

from tests.real_data.runs import SMALL_TEXT, marks, metrics_of_a_run

pytestmark = marks


def test_english_to_german(tmp_path):
    """Every real sentence comes through. A model of this size learns nothing in one epoch that BLEU would see: how well
    the full one translates stands in docs/results.md, and tests/models shows that the architecture learns."""
    overrides = ("tokenizer.unit=word", "tokenizer.vocabulary_size=2000", "training.batch_size=256")
    metrics = metrics_of_a_run("translation_seq2seq.yaml", tmp_path, *SMALL_TEXT, *overrides)
    assert metrics["example_count"] == 1000
    assert metrics.keys() >= {"bleu", "chrf", "exact_match"}
