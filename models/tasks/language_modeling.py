"""Texts go on: what comes next, token by token.

B: batch, T: tokens. Perplexity and its kin: Jelinek et al. (1977).
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.layers.heads.token_embedding import TokenEmbedding, VocabularyProjection
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks.code import Example, TaskCode, Transformed
from models.tasks.inputs import at_least_one_position, first_values
from models.tasks.language_model import LanguageModel, Perplexity
from models.tasks.language_modeling_signatures import LanguageModelingSignatures
from models.tasks.text_stream import keep_in_rows, predictions, windows_of
from models.tokenizers.special import PAD_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies


class LanguageModeling(TaskCode):
    """Past tokens in, the next one out.

    A text that is a document by itself has [START] before it, which is never predicted, and [END] behind it, which is.
    Of a long document that stands in passages only the first one begins and only the last one ends.
    """

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Tokens, and whether the text begins and ends a document."""
        return {
            "token_ids": Transformed(sequence=True),
            "begins": Transformed(sequence=False),
            "ends": Transformed(sequence=False),
        }

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Tokenizes whole texts.

        Returns:
            `token_ids` sparse int64 (B, T); `begins` and `ends` int64 (B,), 1 or 0: nothing stands before the text in
            its document, and nothing behind it.
        """
        token_ids = vocabularies.tokenizer("text").tokenize_whole(first_values(inputs["text"]))
        context, continues = (first_values(inputs[name]) for name in ("context", "continues"))
        return {
            "token_ids": tf.cast(token_ids, tf.int64).to_sparse(),
            "begins": tf.cast(context == "", tf.int64),
            "ends": tf.cast(continues == "", tf.int64),
        }

    def in_order(self, settings: RunSettings) -> bool:
        """Whether texts are one stream, each window of which begins with the states in which the last one ended."""
        return not self.cuts_texts(settings) and settings.model.carries_states

    def cuts_texts(self, settings: RunSettings) -> bool:
        """Whether texts are read one by one."""
        return settings.training.sequence_length == 0

    def training_examples(self, features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
        """Each text for itself, or windows of the stream of all texts; see `models.tasks.text_stream`."""
        training = settings.training
        if self.cuts_texts(settings):
            return super().training_examples(features, settings)
        texts = features.map(_with_flags)
        windows = windows_of(texts, training.sequence_length, training.reset_states == "document")
        # Without states to carry, a window is an example like any other.
        return windows if self.in_order(settings) else windows.map(_by_itself)

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """Inputs `token_ids` int32 (T,), labels int32 (T,), weights float32 (T,).

        Of a text that is too long only the beginning; the first token of a text that begins no document is not
        predicted.
        """
        text, most = _with_flags(features), settings.tokenizer.max_sequence_length
        whole = tf.size(text["token_ids"]) <= most
        parts = predictions(
            text["token_ids"][:most], text["begins"], text["ends"] & whole, before=tf.constant(PAD_TOKEN_ID)
        )
        inputs, labels, weights = map(at_least_one_position, parts)
        return {"token_ids": inputs}, labels, weights

    def keep(self, examples: tf.data.Dataset, settings: RunSettings, folder: str) -> tf.data.Dataset:
        """Lays windows so that each batch goes on where the one before ended; else as any other task."""
        if not self.in_order(settings):
            return super().keep(examples, settings, folder)
        return keep_in_rows(examples, settings.training.batch_size, folder)

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> LanguageModel:
        """A model from `token_ids`, and `resets` where batches go on, to logits, float32 (B, T, vocabulary size)."""
        sizes, vocabulary_size = settings.model, vocabularies.tokenizer("text").vocabulary_size
        embedding = TokenEmbedding(
            vocabulary_size, sizes.embedding_dim, sizes.dropout, sizes.token_dropout, name="embedding"
        )
        tied_to = embedding if sizes.tie_embeddings else None
        projection = VocabularyProjection(vocabulary_size, tied_to, name="vocabulary_projection")
        decoder = self.play("decoder", settings, has_source=False)
        decoder.build((None, None, sizes.embedding_dim))
        rows = settings.training.batch_size if self.in_order(settings) else 0
        model = LanguageModel(decoder, embedding, projection, sizes.dropout, rows)
        model({"token_ids": keras.ops.ones((1, 1), dtype="int32")})  # makes the weights
        return model

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy in nats and perplexity of a token."""
        # The weights of a stream are scaled for the mean over all positions.
        reduction = "sum_over_batch_size" if self.in_order(settings) else "mean_with_sample_weight"
        return {
            "loss": SmoothedCrossEntropy(settings.training.label_smoothing, reduction=reduction),
            "weighted_metrics": [Perplexity()],
        }

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> LanguageModelingSignatures:
        """Prompts in, texts that go on from them out; scores of texts."""
        return LanguageModelingSignatures(model, vocabularies, settings, self.task.request_settings)


def _with_flags(features: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    return features | {name: features[name] > 0 for name in ("begins", "ends")}


def _by_itself(inputs: dict[str, tf.Tensor], labels: tf.Tensor, weights: tf.Tensor) -> Example:
    return {"token_ids": inputs["token_ids"]}, labels, weights


CODE = LanguageModeling
