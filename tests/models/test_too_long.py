"""Texts of more tokens than a model takes: counted, and cut, left out or refused."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from components.preprocessing import preprocessing_fn
from models.errors import SeqlineError
from models.input_pipeline import read_examples
from models.registry import TASKS
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import END_TOKEN_ID, SPECIAL_TOKENS
from models.tokenizers.vocabularies import Vocabularies
from models.too_long import CountingVocabularies, count_too_long, limits_of
from models.training import train
from tests.models.conftest import learn, run_settings

ROWS = [
    {"source": "abc", "target": "abcd"},
    {"source": "abcdefgh", "target": "ab"},
    {"source": "a", "target": "abcdefg"},
    {"source": "ab", "target": "abcde"},
    {"source": "abcd", "target": "abcdef"},
]


def transformed(tmp_path, rows=ROWS, most=5, answered=64, task="text_to_text", model="seq2seq", **sections):
    """What the Transform stage writes, by its own function."""
    settings = run_settings(
        task,
        {"architecture": model, "embedding_dim": 4, "hidden_dim": 4},
        tokenizer={"unit": "character", "max_sequence_length": most},
        **({"decoding": {"max_length": answered}} if task == "text_to_text" else {}),
        **sections,
    )
    vocabularies = learn(rows, settings)
    vocabularies.save(str(tmp_path / "vocabularies"))
    arguments = {"task": settings.task, "vocabulary": str(tmp_path / "vocabularies")}
    with tf.io.TFRecordWriter(str(tmp_path / "rows.gz"), "GZIP") as writer:
        for row in rows:
            example = tf.train.Example()
            raw = {name: tf.constant([[text]]) for name, text in row.items()}
            for name, value in preprocessing_fn(raw, arguments).items():
                numbers = value.values if isinstance(value, tf.SparseTensor) else value
                example.features.feature[name].int64_list.value.extend(numbers.numpy().tolist())
            writer.write(example.SerializeToString())
    return settings, vocabularies, [str(tmp_path / "rows.gz")]


def trained_on(tmp_path, settings, files, **actions):
    task = TASKS[settings.task].code()
    limits = limits_of(task.task, settings, **actions)
    return list(read_examples(files, task, settings, str(tmp_path / "cache"), limits).as_numpy_iterator())


def test_a_target_that_is_cut_is_not_taught_to_end(tmp_path):
    settings, vocabularies, files = transformed(tmp_path)
    examples = trained_on(tmp_path, settings, files)
    assert len(examples) == 5
    for row, (inputs, labels, weights) in zip(ROWS, examples, strict=True):
        kept = row["target"][:5]
        assert labels.tolist() == [*vocabularies.tokenizer("target").tokenize([kept]).to_list()[0], END_TOKEN_ID]
        assert weights.tolist() == [1.0] * len(kept) + [float(len(row["target"]) <= 5)]
        assert len(inputs["source_token_ids"]) == min(len(row["source"]), 5) + 1


@pytest.mark.parametrize(
    ("actions", "answered", "kept"),
    [
        ({"source": "skip"}, 64, [0, 2, 3, 4]),
        ({"target": "skip"}, 64, [0, 1, 3]),
        ({"source": "skip", "target": "skip"}, 64, [0, 3]),
        # Longer than any answer can be, though not cut.
        ({"target": "skip"}, 4, [0, 1]),
        ({}, 4, [0, 1, 2, 3, 4]),
    ],
)
def test_examples_are_left_out_on_request(tmp_path, actions, answered, kept):
    settings, _, files = transformed(tmp_path, answered=answered)
    lengths = [len(labels) - 1 for _, labels, _ in trained_on(tmp_path, settings, files, **actions)]
    assert lengths == [min(len(ROWS[index]["target"]), 5) for index in kept]


def counts(tmp_path, answered=64, most=5, **actions):
    settings, _, files = transformed(tmp_path, answered=answered, most=most)
    return count_too_long(files, "train", limits_of(TASKS[settings.task], settings, **actions))


def test_they_are_counted_and_told(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "seqline.progress"):
        source, target = counts(tmp_path)
    assert (source.examples, source.too_long, source.cut, source.longest) == (5, 1, 1, 8)
    assert (target.examples, target.too_long, target.cut, target.longest) == (5, 2, 2, 7)
    assert source.message == (
        "1 of 5 texts of source in the train split are longer than 5 tokens (the longest has 8); 1 are cut there. "
        "See tokenizer.max_sequence_length, and data.too_long: cut, skip or fail"
    )
    assert "2 are cut there, and nothing is taught as their end. See" in target.message
    assert "data.too_long_target" in target.message
    assert [record.message for record in caplog.records] == [source.message, target.message]


@pytest.mark.parametrize(("answered", "too_long"), [(2, 4), (4, 3), (6, 2)])
def test_answers_that_end_too_early_are_told(tmp_path, answered, too_long):
    *_, target = counts(tmp_path, answered=answered)
    assert target.too_long == too_long
    assert f"an answer ends after {answered} tokens at the latest" in target.message


@pytest.mark.parametrize(("actions", "named"), [({"source": "fail"}, "source"), ({"target": "fail"}, "target")])
def test_fail_stops_the_training(tmp_path, actions, named):
    with pytest.raises(SeqlineError, match=f"texts of {named} in the train split are longer"):
        counts(tmp_path, **actions)


def test_a_split_of_which_nothing_is_left_is_refused(tmp_path):
    settings, _, files = transformed(tmp_path, answered=1)
    with pytest.raises(SeqlineError, match="must keep an example to train on"):
        trained_on(tmp_path, settings, files, target="skip")


def test_nothing_is_told_where_nothing_is_too_long(tmp_path):
    assert counts(tmp_path, most=8, target="fail", source="fail") == []


def test_a_training_without_counts_is_as_before(tmp_path):
    settings, vocabularies, _ = transformed(tmp_path)
    from tests.models.conftest import write_transformed

    file = write_transformed(ROWS, settings, vocabularies, tmp_path / "old.gz")
    assert count_too_long([file], "train", limits_of(TASKS[settings.task], settings)) == []
    assert len(trained_on(tmp_path, settings, [file], source="skip", target="skip")) == 5


def test_texts_that_are_classified_are_counted_too(tmp_path):
    rows = [{"text": "ab" * n, "label": "yn"[n % 2]} for n in range(1, 6)]
    settings, _, files = transformed(tmp_path, rows, task="text_classification", model="recurrent")
    [text] = count_too_long(files, "eval", limits_of(TASKS[settings.task], settings))
    assert (text.too_long, text.longest, text.split) == (3, 10, "eval")
    assert len(trained_on(tmp_path, settings, files, source="skip")) == 2


@pytest.mark.parametrize(("task", "model"), [("word_embedding", "skip_gram"), ("sequence_labeling", "recurrent")])
def test_words_are_counted_before_they_are_cut(task, model):
    settings = TokenizerSettings(unit="word", max_sequence_length=2)
    words = [*SPECIAL_TOKENS, "a", "\u2581a"]
    vocabularies = CountingVocabularies(
        Vocabularies(
            settings, {"text": words}, {"tags": ["O"]}, {"text": [1] * 6}, {"tokens": words}, {"tokens": words}
        )
    )
    many = tf.sparse.from_dense([["a", "a", "a"], ["a", "", ""]])
    raw = {"text": tf.constant([["a a a"], ["a"]]), "tokens": many, "tags": tf.sparse.map_values(tf.zeros_like, many)}
    TASKS[task].code().preprocess(raw, vocabularies)
    [counted] = vocabularies.num_tokens.values()
    assert counted.numpy().tolist() == [3, 1]
    limits = limits_of(TASKS[task], run_settings(task, {"architecture": model}, tokenizer={}))
    assert [limit.feature for limit in limits] == list(vocabularies.num_tokens)


def test_a_training_skips_and_tells(tmp_path):
    settings, vocabularies, files = transformed(tmp_path, training={"epochs": 1, "batch_size": 2})
    import json

    model, _ = train(
        settings, vocabularies, files, files, str(tmp_path / "state"), str(tmp_path / "logs"), "", {"target": "skip"}
    )
    told = json.loads((tmp_path / "logs" / "training.json").read_text(encoding="utf-8"))["too_long"]
    assert [text.partition(" texts of ")[0] for text in told] == ["1 of 5", "2 of 5"] * 2
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
