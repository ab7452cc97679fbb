"""A text gets one of several labels.

B: batch, T: tokens, C: labels.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.layers.heads.token_embedding import TokenEmbedding
from models.layers.masks import padding_mask
from models.run_settings import RunSettings
from models.tasks.classification import Classification, ClassifierSignatures
from models.tasks.code import Example, Transformed
from models.tasks.inputs import at_least_one_position, first_values
from models.tasks.masking import framed, framed_rows
from models.tasks.signatures import Endpoints, spec
from models.tokenizers.vocabularies import Vocabularies


class TextClassification(Classification):
    """Token ids in."""

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Tokens and the label."""
        return {"token_ids": Transformed(sequence=True), "label_id": Transformed(sequence=False)}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Tokenizes `text` and looks up `label`: `token_ids` sparse int64 (B, T), `label_id` int64 (B,)."""
        token_ids = vocabularies.tokenizer("text").tokenize(first_values(inputs["text"]))
        return {
            "token_ids": tf.cast(token_ids, tf.int64).to_sparse(),
            "label_id": vocabularies.label_ids(first_values(inputs["label"])),
        }

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """Token ids int32 (T,), label id int32 (), weight 1.0."""
        token_ids = features["token_ids"]
        # As in the run with whose encoder the model begins.
        token_ids = framed(token_ids)[0] if settings.training.init_from else at_least_one_position(token_ids)
        return token_ids, features["label_id"], tf.constant(1.0)

    def front(
        self, settings: RunSettings, vocabularies: Vocabularies
    ) -> tuple[Any, keras.KerasTensor, keras.KerasTensor]:
        """Token ids, int (B, T), 0 = padding, and their vectors."""
        size, sizes = vocabularies.tokenizer("text").vocabulary_size, settings.model
        embedding = TokenEmbedding(
            size, sizes.embedding_dim, sizes.dropout, sizes.token_dropout, name="token_embedding"
        )
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        return token_ids, embedding(token_ids), padding_mask(token_ids)

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> "TextClassificationSignatures":
        """Raw text in, label and scores out."""
        return TextClassificationSignatures(model, vocabularies, settings, self.task.request_settings)


class TextClassificationSignatures(ClassifierSignatures):
    """Raw text in, label and scores out."""

    def endpoints(self) -> Endpoints:
        """Texts, and texts in serialized examples."""
        return {
            "serving_default": (self.predict, [spec("text")]),
            "classify": (self.classify, [spec("inputs")]),
            "examples": (self.examples, [spec("examples")]),
        }

    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to `label` string (B,), `scores` float32 (B, C) that sum to 1, `classes` string (B, C)."""
        token_ids = self.vocabularies.tokenizer("text").tokenize(text)
        if self.settings.training.init_from:
            token_ids = framed_rows(token_ids)
        return self.classified(self.model(at_least_one_position(token_ids.to_tensor())))

    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Example string (B,) to `classes` and `scores`, as TensorFlow Serving's Classify wants them."""
        answer = self.examples(inputs)
        return {"classes": answer["classes"], "scores": answer["scores"]}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        features = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
        return self.predict(features["text"])


CODE = TextClassification
