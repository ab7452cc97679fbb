"""Vectors of the words of captions, reviews and Shakespeare."""

from tests.real_data.runs import marks, metrics_of_a_run

pytestmark = marks


def test_vectors_of_words(tmp_path):
    """Questions whose words are known are asked; how many are answered right stands in docs/results.md."""
    overrides = ("model.embedding_dim=32", "training.epochs=1", "vectors.map_words=50")
    metrics = metrics_of_a_run("word_vectors.yaml", tmp_path, *overrides)
    assert 0 < metrics["analogy_coverage"] < 1
    assert metrics["analogy_accuracy"] >= 0
    assert metrics["known_words"] > 0.9
    [page] = tmp_path.glob("artifacts/Review/review/*/page.html")
    assert "gram3-comparative" in page.read_text()
