"""A text gets one of several labels: features, loss, metrics and signatures.

B: batch, T: tokens, C: labels.
"""

from typing import Any

import keras
import tensorflow as tf

from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies

# Transformed features that hold a sequence, and those that hold one number.
SEQUENCE_FEATURES = ("token_ids",)
SCALAR_FEATURES = ("label_id",)


def preprocess(inputs: dict[str, tf.Tensor], vocabularies: Vocabularies) -> dict[str, Any]:
    """Tokenizes `text` and looks up `label`, each string (B, 1).

    Returns:
        `token_ids` sparse int64 (B, T) and `label_id` int64 (B,).
    """
    token_ids = vocabularies.tokenizer("text").tokenize(inputs["text"][:, 0])
    return {
        "token_ids": tf.cast(token_ids, tf.int64).to_sparse(),
        "label_id": vocabularies.label_ids(inputs["label"][:, 0]),
    }


def training_examples(features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
    """Transformed examples to what `training_example` makes of each."""
    return features.map(training_example, num_parallel_calls=tf.data.AUTOTUNE)


def sample_requests(
    features: list[dict[str, tf.Tensor]], vocabularies: Vocabularies, settings: RunSettings
) -> dict[str, list[Any]]:
    """Inputs of `serving_default` from transformed examples: real texts, joined from their tokens."""
    token_ids = tf.ragged.stack([example["token_ids"] for example in features])
    return {"text": vocabularies.tokenizer("text").detokenize(token_ids).numpy().tolist()}


def training_example(features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One transformed example to (token ids int32 (T,), label id int32 (), weight 1.0)."""
    return features["token_ids"], features["label_id"], tf.constant(1.0)


def compile_arguments(settings: RunSettings) -> dict[str, Any]:
    """Loss and metrics for `keras.Model.compile`."""
    return {
        "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
        "weighted_metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }


class Signatures(tf.Module):
    """Raw text in, label and scores out.

    Args:
        model: from token ids int (B, T) to logits float32 (B, C).
        vocabularies: of `text`, with the labels.
        settings: of the run.
    """

    def __init__(self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings):
        super().__init__(name="signatures")
        self.model = model
        self.tokenizer = vocabularies.tokenizer("text")
        self.labels = list(vocabularies.labels)

    def request_defaults(self) -> dict[str, float]:
        """Values for inputs of the signatures that no example fills: here there are none."""
        return {}

    def endpoints(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Signature name to its function and the specification of its inputs."""
        examples = tf.TensorSpec([None], tf.string, name="examples")
        return {
            "serving_default": (self.predict, [tf.TensorSpec([None], tf.string, name="text")]),
            "classify": (self.classify, [tf.TensorSpec([None], tf.string, name="inputs")]),
            "examples": (self.examples, [examples]),
        }

    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to `label` string (B,), `scores` float32 (B, C) that sum to 1, `classes` string (B, C)."""
        token_ids = self.tokenizer.tokenize(text).to_tensor()
        # A batch of empty texts has no column; the layers need one.
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]])
        scores = tf.nn.softmax(tf.cast(self.model(token_ids), tf.float32))
        labels = tf.constant(self.labels)
        classes = tf.tile(labels[tf.newaxis], [tf.shape(scores)[0], 1])
        return {"label": tf.gather(labels, tf.argmax(scores, axis=-1)), "scores": scores, "classes": classes}

    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Example string (B,) to `classes` and `scores`, as TensorFlow Serving's Classify wants them."""
        answer = self.examples(inputs)
        return {"classes": answer["classes"], "scores": answer["scores"]}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        features = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
        return self.predict(features["text"])
