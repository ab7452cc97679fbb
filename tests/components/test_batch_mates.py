"""Answers alone and among others, in process."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from components.batch_mates import check_batch_mates
from models.errors import SeqlineError


def save(folder: Path, predict: Callable[[tf.Tensor], dict[str, tf.Tensor]]) -> Path:
    module = tf.Module()
    module.f = tf.function(predict, input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.f})
    return folder


def test_answer_that_depends_on_batch_mates_is_refused(tmp_path: Path):
    def predict(text):
        lengths = tf.cast(tf.strings.length(text), tf.float32)
        return {"scores": lengths / tf.reduce_max(lengths)}

    model = save(tmp_path, predict)
    with pytest.raises(SeqlineError, match="must not depend on those beside it") as caught:
        check_batch_mates(model, {"text": ["abc", "ab"]})
    assert str(caught.value).endswith(
        'Received for text "ab": output "scores"[1] is 0.666667 in a batch of 2, 1 alone. '
        "A layer of this architecture ignores its padding mask."
    )
    check_batch_mates(model, {"text": ["abc", "cde"]})


def test_padding_and_the_order_of_the_others_change_nothing(tmp_path: Path):
    def predict(text):
        tokens = tf.strings.split(text).to_tensor()
        return {"tokens": tokens, "scores": tf.where(tokens == "", 0.0, 0.5)}

    check_batch_mates(save(tmp_path, predict), {"text": ["on 5 May", "", "7"]})


def test_a_tie_is_no_dependence(tmp_path: Path):
    def predict(text):
        # Rounding chooses another text of the same score where there are others.
        alone = tf.equal(tf.size(text), 1)
        other = tf.where(text == "b", "x", text)
        return {"target": tf.cond(alone, lambda: text, lambda: other), "score": tf.zeros(tf.shape(text))}

    model = save(tmp_path, predict)
    check_batch_mates(model, {"text": ["a", "b", "c"]})
    with pytest.raises(SeqlineError, match="must not depend"):
        check_batch_mates(model, {"text": ["b", "b", "c"]})
