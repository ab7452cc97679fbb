"""What the Transform stage runs."""

import tensorflow as tf

from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.vocabularies import Vocabularies

LETTERS = ["[PAD]", "[UNK]", "[START]", "[END]", "a", "b"]
VOCABULARIES = Vocabularies(
    TokenizerSettings(unit="character"),
    {"text": LETTERS, "source": LETTERS, "target": LETTERS},
    {"label": ["neg", "pos"], "speaker": ["ann", "bob"]},
)


def test_classification_gives_token_ids_and_the_label_id():
    inputs = {"text": tf.constant([["ab"], ["b?"]]), "label": tf.constant([["pos"], ["neg"]])}
    features = TASKS["text_classification"].code().preprocess(inputs, VOCABULARIES)
    assert tf.sparse.to_dense(features["token_ids"]).numpy().tolist() == [[4, 5], [5, 1]]
    assert features["label_id"].numpy().tolist() == [1, 0]


def test_text_to_text_gives_both_sides_without_start_or_end():
    inputs = {"source": tf.constant([["ab"]]), "target": tf.constant([["bba"]])}
    features = TASKS["text_to_text"].code().preprocess(inputs, VOCABULARIES)
    assert features["source_token_ids"].values.numpy().tolist() == [4, 5]
    assert features["target_token_ids"].values.numpy().tolist() == [5, 5, 4]
