import numpy as np
import pytest
import tensorflow as tf

from models.training import build_model, train
from tests.models.conftest import learn, run_settings, write_transformed


def rows(count: int, seed: int) -> list[dict[str, str]]:
    """Whether an `x` stands before the first `y`: order matters, so counting letters does not help."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list("abxy"), rng.integers(3, 9))) + "xy" for _ in range(count)]
    return [{"text": text, "label": "yes" if text.index("x") < text.index("y") else "no"} for text in texts]


def small(**model):
    settings = run_settings("text_classification", {"architecture": "recurrent", **model})
    return build_model(settings, learn(rows(20, 0), settings))


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "mean_max"])
def test_padding_changes_no_logit(pooling):
    model = small(embedding_dim=4, hidden_dim=3, pooling=pooling)
    alone = model(np.array([[4, 5, 6]]))
    padded = model(np.array([[4, 5, 6, 0, 0], [7, 7, 7, 7, 7]]))
    assert alone.shape == (1, 2)
    np.testing.assert_allclose(padded[0], alone[0], atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_learns_which_letter_comes_first(cell, tmp_path):
    model = {
        "architecture": "recurrent",
        "cell": cell,
        "embedding_dim": 8,
        "hidden_dim": 16,
        "num_layers": 1,
        "dropout": 0,
    }
    training = {"epochs": 12, "learning_rate": 0.02, "batch_size": 32}
    settings = run_settings("text_classification", model, training=training)
    train_rows, eval_rows = rows(600, 1), rows(100, 2)
    vocabularies = learn(train_rows, settings)
    files = [
        write_transformed(part, settings, vocabularies, tmp_path / name)
        for part, name in ((train_rows, "t"), (eval_rows, "e"))
    ]
    _, state = train(settings, vocabularies, files[:1], files[1:], str(tmp_path / "checkpoints"))
    assert state.best_metrics["val_accuracy"] > 0.97


def test_empty_text_gives_scores():
    model = small(embedding_dim=4, hidden_dim=3)
    assert np.isfinite(model(tf.zeros((1, 1), tf.int32))).all()


def test_token_dropout_drops_whole_tokens_in_training_alone():
    model = small(embedding_dim=4, hidden_dim=3, token_dropout=0.5)
    layer = model.get_layer("token_embedding").token_dropout
    dropped = np.asarray(layer(np.ones((20, 50, 4), "float32"), training=True))
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert (dropped == dropped[:, :, :1]).all()
    assert 0.4 < (dropped > 0).mean() < 0.6
    np.testing.assert_array_equal(layer(np.ones((2, 3, 4)), training=False), np.ones((2, 3, 4)))
