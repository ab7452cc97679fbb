"""Hidden pieces of held-out texts, guessed by a tiny model, as the page shows them."""

from pathlib import Path

import pytest
import tensorflow as tf

from components.review.masked_texts.review import review
from components.review.page import render_page
from components.review.settings import MaskedTextReviewSettings
from models.description import ModelDescription
from serving.wire.values import to_example


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that hides the second piece, and takes what follows for what stands elsewhere."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def examples(examples):
        text = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})["text"]
        words = tf.strings.split(text).to_tensor()
        rows = tf.shape(words)[0]
        shown = tf.concat([words[:, :1], tf.fill([rows, 1], "[MASK]"), words[:, 2:]], axis=1)
        return {
            "pieces": tf.where(words == "", "", shown),
            "hidden": words[:, 1:2],
            "positions": tf.fill([rows, 1], 1),
            "probabilities": tf.fill([rows, 1], 0.25),
            "num_units": tf.ones([rows]),
            "num_right": tf.zeros([rows]),
            "next_right": tf.zeros([rows]),
            "follows": tf.constant(["yes", ""])[:rows],
        }

    tf.saved_model.save(tf.Module(), str(tmp_path / "model"), signatures={"examples": examples})
    metrics = {"val_masked_accuracy": 0.5, "best_epoch": 3}
    settings = {"name": "<b>", "task": "masked_language_modeling", "architecture": "a", "settings": {}}
    ModelDescription(**settings, metrics=metrics).write(tmp_path / "model")
    (tmp_path / "split").mkdir()
    with tf.io.TFRecordWriter(str(tmp_path / "split" / "data.gz"), "GZIP") as writer:
        for text in ("\u2581a \u2581b ##c", "\u2581<i> ##d"):
            writer.write(to_example({"text": text}).SerializeToString())
    return tmp_path


def test_hidden_pieces_stand_in_brackets_with_their_probabilities(folder):
    told = []
    settings = MaskedTextReviewSettings(texts=2)
    result = review(folder / "model", folder / "split", settings, None, lambda *done: told.append(done))
    assert told == [(2, 2)]
    assert result.metrics == {"validation_masked_accuracy": 0.5}
    first, second = result.samples
    assert first.media[0].pairs == [(" a", 1), ("[b]", 0.25), ("c", 1)]
    assert second.media[0].pairs == [(" <i>", 1), ("[d]", 0.25)]
    assert (first.expected, first.answer, first.verdict) == ("yes", "no", False)
    assert second.verdict is None
    page = render_page(result)
    assert "the second part stands elsewhere: wrong" in page
    assert "<i>" not in page and "&lt;i&gt;" in page and "50 %" in page
