"""A toy task: is one text the other one backwards?"""

import keras
import tensorflow as tf

from models.layers.heads.token_embedding import TokenEmbedding
from models.layers.masks import padding_mask
from models.tasks.classification import Classification, ClassifierSignatures
from models.tasks.code import Transformed
from models.tasks.inputs import first_values
from models.tasks.signatures import spec
from models.tokenizers.special import END_TOKEN_ID


def joined(tokenizer, text: tf.Tensor, other: tf.Tensor) -> tf.RaggedTensor:
    """Both texts, [END] between them: ragged int32 (B, T)."""
    ends = tf.fill([tf.size(text), 1], END_TOKEN_ID)
    return tf.concat([tokenizer.tokenize(text), ends, tokenizer.tokenize(other)], axis=1)


class ReversalCheck(Classification):
    @property
    def transformed(self):
        return {"token_ids": Transformed(sequence=True), "label_id": Transformed(sequence=False)}

    def preprocess(self, inputs, vocabularies):
        texts = (first_values(inputs[name]) for name in ("text", "other"))
        token_ids = joined(vocabularies.tokenizer("text"), *texts)
        label_ids = vocabularies.label_ids(first_values(inputs["label"]))
        return {"token_ids": tf.cast(token_ids, tf.int64).to_sparse(), "label_id": label_ids}

    def training_example(self, features, settings):
        return features["token_ids"], features["label_id"], tf.constant(1.0)

    def front(self, settings, vocabularies):
        size = vocabularies.tokenizer("text").vocabulary_size
        token_ids = keras.Input((None,), dtype="int32", name="token_ids")
        return token_ids, TokenEmbedding(size, settings.model.embedding_dim)(token_ids), padding_mask(token_ids)

    def signatures(self, model, vocabularies, settings):
        return ReversalCheckSignatures(model, vocabularies, settings)


class ReversalCheckSignatures(ClassifierSignatures):
    def endpoints(self):
        return {
            "serving_default": (self.predict, [spec("text"), spec("other")]),
            "examples": (self.examples, [spec("examples")]),
        }

    def predict(self, text, other):
        return self.classified(self.model(joined(self.vocabularies.tokenizer("text"), text, other).to_tensor()))

    def examples(self, examples):
        features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("text", "other")}
        return self.predict(**tf.io.parse_example(examples, features))


CODE = ReversalCheck
