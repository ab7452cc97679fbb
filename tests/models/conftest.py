"""A tiny task for every test of the models: transformed examples made without TFX."""

import pathlib
import uuid
from collections import Counter

import pytest
import tensorflow as tf

from models.features import learned_features
from models.input_pipeline import read_examples
from models.registry import TASKS
from models.run_settings import RunSettings
from models.tokenizers.cut_words import learn_words
from models.tokenizers.vocabularies import Vocabularies, counts_of, learn_vocabulary, split_units


def learn(rows: list[dict[str, str | list[str]]], settings: RunSettings) -> Vocabularies:
    """Learns the vocabularies of a task from raw rows."""
    features = TASKS[settings.task].features
    pieces, counted = {}, {}
    for feature in learned_features(features, "pieces"):
        units = split_units(tf.constant([row[feature] for row in rows]), settings.tokenizer).flat_values.numpy()
        counts = Counter(unit.decode() for unit in units)
        pieces[feature] = learn_vocabulary(counts, settings.tokenizer)
        counted[feature] = counts_of(pieces[feature], counts)
    categories = {
        name: sorted({value for row in rows for value in texts_of(row[name])})
        for name in learned_features(features, "categories")
    }
    words, characters = {}, {}
    for feature in learned_features(features, "words"):
        counts = Counter(word for row in rows for word in row[feature])
        words[feature], characters[feature] = learn_words(counts, settings.tokenizer)
    return Vocabularies(settings.tokenizer, pieces, categories, counted, words, characters)


def texts_of(value: str | list[str]) -> list[str]:
    """One text or many, as many."""
    return [value] if isinstance(value, str) else value


def write_transformed(
    rows: list[dict[str, str | list[str]]], settings: RunSettings, vocabularies: Vocabularies, file: pathlib.Path
) -> str:
    """Writes what the Transform stage would: one tf.Example a row, TFRecord, gzip."""
    task = TASKS[settings.task].code()
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for row in rows:
            raw = {feature.name: tf.constant([texts_of(row[feature.name])]) for feature in task.task.features}
            example = tf.train.Example()
            for name, value in task.preprocess(raw, vocabularies).items():
                numbers = value.values if isinstance(value, tf.SparseTensor) else value
                example.features.feature[name].int64_list.value.extend(numbers.numpy().tolist())
            writer.write(example.SerializeToString())
    return str(file)


def examples_of(file: str, settings: RunSettings) -> tf.data.Dataset:
    """What is trained on; the cache lies beside the file."""
    return read_examples([file], TASKS[settings.task].code(), settings, f"{file}.{uuid.uuid4().hex}")


@pytest.fixture(autouse=True)
def _fresh_keras():
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(7)


def run_settings(task: str, model: dict, **sections: dict) -> RunSettings:
    """Settings with a character tokenizer unless a section says otherwise."""
    values = {"name": "toy", "task": task, "tokenizer": {"unit": "character"}, "model": model} | sections
    return RunSettings.model_validate(values)
