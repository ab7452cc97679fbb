"""Names in English posts."""

from tests.real_data.runs import SMALL_TEXT, marks, metrics_of_a_run

pytestmark = marks


def test_names_in_posts(tmp_path):
    """Every real post comes through; how well the full model finds names stands in docs/results.md."""
    overrides = ("training.learning_rate=0.006", "training.batch_size=16", "training.epochs=2")
    # The penalty is for a trained model: after two epochs it makes a name of every other word.
    settings = (*SMALL_TEXT, *overrides, "labeling.outside_penalty=0.0")
    metrics = metrics_of_a_run("entities_wnut17.yaml", tmp_path, *settings)
    assert metrics["example_count"] == 1009
    assert metrics["same_cut"] > 0.98, "the rule cuts as those who labelled the posts"
    assert metrics["token_accuracy"] > 0.9
    assert metrics["entity_f1"] > 0.02, "a model that answers O gets 0"
    assert {"entity_f1/person", "entity_recall/creative-work"} <= metrics.keys()
    [page] = tmp_path.glob("artifacts/Review/review/*/page.html")
    assert page.read_text().count("<figure") == 60
