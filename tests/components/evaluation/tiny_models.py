"""SavedModels small enough to check by eye, and examples for them."""

import math
from pathlib import Path

import tensorflow as tf


def write_examples(folder: Path, rows: list[dict[str, str]]) -> None:
    """Writes raw examples as ExampleGen does."""
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data_tfrecord-00000-of-00001.gz"), "GZIP") as writer:
        for row in rows:
            writer.write(to_example(row).SerializeToString())


def to_example(row: dict[str, str]) -> tf.train.Example:
    features = {k: tf.train.Feature(bytes_list=tf.train.BytesList(value=[v.encode()])) for k, v in row.items()}
    return tf.train.Example(features=tf.train.Features(feature=features))


class KeywordClassifier(tf.Module):
    """Scores classes by the share of their keyword among all keywords: "good good bad" is 2/3 pos."""

    def __init__(self, keywords: dict[str, str]) -> None:
        super().__init__()
        self.classes = tf.constant(sorted(keywords))
        self.keywords = [keywords[name] for name in sorted(keywords)]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text")])
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        words = tf.strings.split(text)
        counts = tf.stack([tf.reduce_sum(tf.cast(words == k, tf.float32), axis=1) for k in self.keywords], axis=1)
        scores = tf.nn.softmax(counts * math.log(2.0))
        classes = tf.tile(self.classes[None], [tf.shape(text)[0], 1])
        return {"label": tf.gather(self.classes, tf.argmax(scores, axis=1)), "scores": scores, "classes": classes}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
        return self.serve(parsed["text"])


class Translator(tf.Module):
    """Translates by replacing whole words."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "source")])
    def serve(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        target = source
        for word, translation in self.words.items():
            target = tf.strings.regex_replace(target, rf"\b{word}\b", translation)
        return {"target": target, "score": -tf.ones(tf.shape(source))}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(examples, {"source": tf.io.FixedLenFeature([], tf.string)})
        return self.serve(parsed["source"])


def save(model: KeywordClassifier | Translator, folder: Path) -> Path:
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.serve, "examples": model.examples})
    return folder


SENTIMENT = {"neg": "bad", "pos": "good"}
ROWS = [
    {"text": "good good film", "label": "pos"},
    {"text": "good", "label": "pos"},
    {"text": "a bad story but a good , good and very good cast in all", "label": "pos"},
    {"text": "bad good bad", "label": "pos"},
    {"text": "bad", "label": "neg"},
    {"text": "bad bad film", "label": "neg"},
    {"text": "good script , bad bad bad everything else", "label": "neg"},
    {"text": "not good", "label": "neg"},
]
