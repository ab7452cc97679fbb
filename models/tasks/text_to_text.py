"""A source text becomes a target text.

B: batch, S: source tokens, T: target tokens, K: beams.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.decoding.beam_search import Attention, BeamSettings, beam_search
from models.description import PaddedAxis
from models.layers.heads.token_embedding import TokenEmbedding, VocabularyProjection
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks.code import Example, TaskCode, Transformed
from models.tasks.encoder_decoder import EncoderDecoder
from models.tasks.inputs import first_values
from models.tasks.signatures import Endpoints, Signatures, spec
from models.token_accuracy import TokenAccuracy
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies
from models.too_long import cut_key


class TextToText(TaskCode):
    """Token ids of a source in, token ids of a target out."""

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Tokens of both sides."""
        return {"source_token_ids": Transformed(sequence=True), "target_token_ids": Transformed(sequence=True)}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Tokenizes both sides: `source_token_ids` (B, S) and `target_token_ids` (B, T), sparse int64."""
        return {
            f"{name}_token_ids": tf.cast(
                vocabularies.tokenizer(name).tokenize(first_values(inputs[name])), tf.int64
            ).to_sparse()
            for name in ("source", "target")
        }

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """Inputs of `model_inputs` without batch, the labels of `labels_of`, int32 (T + 1,), and a weight for each.

        The weight of [END] is 0 behind a target that was cut: it does not end there.
        """
        target = tf.RaggedTensor.from_tensor(features["target_token_ids"][tf.newaxis])
        inputs = model_inputs(tf.RaggedTensor.from_tensor(features["source_token_ids"][tf.newaxis]), target)
        labels = labels_of(target)[0]
        ends = tf.logical_not(features.get(cut_key("target"), tf.constant(False)))
        weights = tf.concat([tf.ones_like(labels[:-1], tf.float32), tf.cast(ends, tf.float32)[tf.newaxis]], axis=0)
        return {name: value[0] for name, value in inputs.items()}, labels, weights

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> EncoderDecoder:
        """A model from what `model_inputs` gives to logits, float32 (B, T, size of the target vocabulary)."""
        sizes = settings.model
        target, source = (
            TokenEmbedding(
                vocabularies.tokenizer(name).vocabulary_size,
                sizes.embedding_dim,
                sizes.dropout,
                sizes.token_dropout,
                name=f"{name}_embedding",
            )
            for name in ("target", "source")
        )
        source = target if sizes.share_embeddings else source
        tied_to = target if sizes.tie_embeddings else None
        projection = VocabularyProjection(
            vocabularies.tokenizer("target").vocabulary_size, tied_to, name="vocabulary_projection"
        )
        encoder, decoder = (self.play(role, settings) for role in self.task.roles)
        # The encoder's states are made ready for the decoder before it is called for the first time.
        decoder.build((None, None, sizes.embedding_dim))
        model = EncoderDecoder(encoder, decoder, source, target, projection, sizes.dropout)
        example = keras.ops.ones((1, 1), dtype="int32")
        model({"source_token_ids": example, "decoder_token_ids": example})  # makes the weights
        return model

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy and accuracy of tokens."""
        return {
            "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
            "weighted_metrics": [TokenAccuracy()],
        }

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> "TextToTextSignatures":
        """Source text in, target text out."""
        return TextToTextSignatures(model, vocabularies, settings, self.task.request_settings)


def model_inputs(source: tf.RaggedTensor, target: tf.RaggedTensor) -> dict[str, tf.Tensor]:
    """What the model reads in training and for `attend`; token ids int32, padded with 0.

    Args:
        source: ragged (B, S).
        target: ragged (B, T).

    Returns:
        `source_token_ids` (B, S + 1), as `source_token_ids` says; `decoder_token_ids` (B, T + 1), the target behind
        [START].
    """
    starts = tf.fill([target.nrows(), 1], START_TOKEN_ID)
    return {
        "source_token_ids": source_token_ids(source),
        "decoder_token_ids": tf.concat([starts, target], axis=1).to_tensor(),
    }


def source_token_ids(source: tf.RaggedTensor) -> tf.Tensor:
    """Ragged int32 (B, S) to padded (B, S + 1): with [END], so that the empty source too has something to read."""
    return tf.concat([source, tf.fill([source.nrows(), 1], END_TOKEN_ID)], axis=1).to_tensor()


def labels_of(target: tf.RaggedTensor) -> tf.Tensor:
    """What the decoder should say: the target and [END], ragged int32 (B, T) to padded (B, T + 1)."""
    return tf.concat([target, tf.fill([target.nrows(), 1], END_TOKEN_ID)], axis=1).to_tensor()


class TextToTextSignatures(Signatures):
    """Source text in, target text out; the model is an `EncoderDecoder`."""

    def endpoints(self) -> Endpoints:
        """The best target, all beams with settings for each request, the attention weights."""
        return {
            "serving_default": (self.predict, [spec("source")]),
            "generate": (self.generate, [spec("source"), *self.request_specs()]),
            "attend": (self.attend, [spec("source"), spec("target")]),
            "examples": (self.examples, [spec("examples")]),
        }

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """Beams, and the pieces of both sides."""
        source = PaddedAxis(outputs={"source_pieces": 1, "weights": 2}, told_by="source_pieces", padding="")
        target = PaddedAxis(outputs={"target_pieces": 1, "weights": 1}, told_by="target_pieces", padding="")
        return {"generate": [self.told_by_setting("beam_width", "target", "score")], "attend": [source, target]}

    def predict(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to `target` string (B,) and `score` float32 (B,), the log probability of a token on average."""
        answer = self.generate(source, *self.defaults(tf.size(source)))
        return {"target": answer["target"][:, 0], "score": answer["score"][:, 0]}

    def generate(
        self, source: tf.Tensor, beam_width: tf.Tensor, length_penalty: tf.Tensor, max_length: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `predict` with settings for every request, each (B,); returns `target` and `score`, both (B, K).

        K is the widest beam of the batch; what a narrower request lacks is "" with a score of -1e9. Settings beyond the
        limits of `models.decoding.request_settings` are moved to the nearest limit.
        """
        coverage = self.settings.decoding.coverage_penalty
        width, penalty, longest = self.within_limits(beam_width, length_penalty, max_length)
        settings = BeamSettings(width, penalty, longest, tf.fill([tf.size(source)], coverage))
        token_ids = source_token_ids(self.vocabularies.tokenizer("source").tokenize(source))
        memory, cache = self.model.encode(token_ids, tf.reduce_max(settings.max_length) + 1)
        # The weights go round with the cache only where the search reads them.
        unseen = [tf.zeros_like(token_ids, tf.float32)] if coverage else []
        attention = Attention(lambda cache: cache[1], token_ids != PAD_TOKEN_ID) if coverage else None
        # All beams of a row read the same source, so only the cache follows them when they are reordered.
        num_beams = tf.reduce_max(settings.beam_width)
        memory = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, num_beams, axis=0), memory)

        def next_token(token_ids: tf.Tensor, cache: list[Any]) -> tuple[tf.Tensor, list[Any]]:
            logits, decoder_cache, weights = self.model.next_token(token_ids, cache[0], memory)
            return logits, [decoder_cache, weights] if coverage else [decoder_cache]

        targets, scores = beam_search(next_token, [cache, *unseen], settings, num_beams, attention)
        return {"target": self._to_text(targets), "score": scores}

    def attend(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """Where each target token looks.

        Returns:
            `weights` float32 (B, T + 1, S), `source_pieces` (B, S) and `target_pieces` (B, T + 1), string. The last
            real piece is the end; "" stands where a row is padded. Weights are zero for a model without attention.
        """
        tokenizers = self.vocabularies.tokenizers
        target_token_ids = tokenizers["target"].tokenize(target)
        inputs = model_inputs(tokenizers["source"].tokenize(source), target_token_ids)
        _, weights = self.model.align(inputs)
        pieces = labels_of(target_token_ids)
        real = tf.cast(pieces != PAD_TOKEN_ID, weights.dtype)[:, :, tf.newaxis]
        return {
            "weights": weights * real,
            "source_pieces": tokenizers["source"].look_up(inputs["source_token_ids"]),
            "target_pieces": tokenizers["target"].look_up(pieces),
        }

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        features = tf.io.parse_example(examples, {"source": tf.io.FixedLenFeature([], tf.string)})
        return self.predict(features["source"])

    def _to_text(self, token_ids: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(token_ids)
        flat = tf.RaggedTensor.from_tensor(tf.reshape(token_ids, [-1, shape[2]]))
        return tf.reshape(self.vocabularies.tokenizer("target").detokenize(flat), shape[:2])


CODE = TextToText
