"""A text, character by character."""

from tests.real_data.runs import SMALL_TEXT, marks, metrics_of_a_run

pytestmark = marks


def test_shakespeare_by_characters(tmp_path):
    """Its end is held out; how well the full model foresees it stands in docs/results.md."""
    overrides = ("model.num_layers=1", "training.learning_rate=0.01", "texts.max_length=40", "texts.temperatures=[0.8]")
    metrics = metrics_of_a_run("shakespeare.yaml", tmp_path, *SMALL_TEXT, *overrides)
    assert metrics["example_count"] == 232, "passages of at most 500 characters, of 111,540"
    # By their frequencies alone characters cost 3.31 nats.
    assert metrics["cross_entropy"] < 2.5
    assert metrics["bits_per_character"] == metrics["bits_per_byte"], "it is ASCII"
    [page] = tmp_path.glob("artifacts/Review/review/*/page.html")
    assert "ROMEO:" in page.read_text()
