"""A source text becomes a target text: features, loss, metrics and signatures.

B: batch, S: source tokens, T: target tokens, K: beams.
"""

from typing import Any

import keras
import tensorflow as tf

from models.decoding.beam_search import BeamSettings, beam_search
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID
from models.tokenizers.vocabularies import Vocabularies

SEQUENCE_FEATURES = ("source_token_ids", "target_token_ids")
SCALAR_FEATURES = ()


def preprocess(inputs: dict[str, tf.Tensor], vocabularies: Vocabularies) -> dict[str, Any]:
    """Tokenizes `source` and `target`, each string (B, 1).

    Returns:
        `source_token_ids` (B, S) and `target_token_ids` (B, T), sparse int64.
    """
    return {
        f"{name}_token_ids": tf.cast(vocabularies.tokenizer(name).tokenize(inputs[name][:, 0]), tf.int64).to_sparse()
        for name in ("source", "target")
    }


def training_examples(features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
    """Transformed examples to what `training_example` makes of each."""
    return features.map(training_example, num_parallel_calls=tf.data.AUTOTUNE)


def sample_requests(
    features: list[dict[str, tf.Tensor]], vocabularies: Vocabularies, settings: RunSettings
) -> dict[str, list[Any]]:
    """Inputs of `serving_default` from transformed examples: real texts, joined from their tokens."""
    token_ids = tf.ragged.stack([example["source_token_ids"] for example in features])
    return {"source": vocabularies.tokenizer("source").detokenize(token_ids).numpy().tolist()}


def training_example(features: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
    """One transformed example to model inputs, right tokens and weights.

    Returns:
        inputs: `source_token_ids` int32 (S + 1,), the source and [END]; `decoder_token_ids` int32 (T + 1,), the target
        behind [START]. Then the right tokens, the target and [END], int32 (T + 1,), and a weight of 1.0 for each.
    """
    target = features["target_token_ids"]
    inputs = {
        "source_token_ids": tf.concat([features["source_token_ids"], [END_TOKEN_ID]], axis=0),
        "decoder_token_ids": tf.concat([[START_TOKEN_ID], target], axis=0),
    }
    right = tf.concat([target, [END_TOKEN_ID]], axis=0)
    return inputs, right, tf.ones_like(right, dtype=tf.float32)


def compile_arguments(settings: RunSettings) -> dict[str, Any]:
    """Loss and metrics for `keras.Model.compile`."""
    return {
        "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
        "weighted_metrics": [keras.metrics.SparseCategoricalAccuracy(name="token_accuracy")],
    }


class Signatures(tf.Module):
    """Source text in, target text out.

    Args:
        model: with `encode`, `next_token` and `align`, as `models.architectures.seq2seq.Seq2Seq`.
        vocabularies: of `source` and `target`.
        settings: of the run.
    """

    def __init__(self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings):
        super().__init__(name="signatures")
        self.model = model
        self.source = vocabularies.tokenizer("source")
        self.target = vocabularies.tokenizer("target")
        self.decoding = settings.decoding

    def request_defaults(self) -> dict[str, float]:
        """Values for inputs of the signatures that no example fills: the settings of a request."""
        return {
            "beam_width": self.decoding.beam_width,
            "length_penalty": self.decoding.length_penalty,
            "max_length": self.decoding.max_length,
        }

    def endpoints(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Signature name to its function and the specification of its inputs."""

        def spec(name: str, dtype: tf.DType = tf.string) -> tf.TensorSpec:
            return tf.TensorSpec([None], dtype, name=name)

        per_request = [spec("beam_width", tf.int32), spec("length_penalty", tf.float32), spec("max_length", tf.int32)]
        return {
            "serving_default": (self.predict, [spec("source")]),
            "generate": (self.generate, [spec("source"), *per_request]),
            "attend": (self.attend, [spec("source"), spec("target")]),
            "examples": (self.examples, [spec("examples")]),
        }

    def predict(self, source: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to `target` string (B,) and `score` float32 (B,), the log probability of a token on average."""
        rows = tf.ones_like(tf.strings.length(source))
        answer = self.generate(
            source,
            rows * self.decoding.beam_width,
            tf.cast(rows, tf.float32) * self.decoding.length_penalty,
            rows * self.decoding.max_length,
        )
        return {"target": answer["target"][:, 0], "score": answer["score"][:, 0]}

    def generate(
        self, source: tf.Tensor, beam_width: tf.Tensor, length_penalty: tf.Tensor, max_length: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """As `predict` with settings for every request, each (B,); returns `target` and `score`, both (B, K).

        K is the widest beam of the batch; what a narrower request lacks is "" with a score of -1e9. Settings beyond the
        limits (beam 1 to 64, length 1 to 1024) are moved to the nearest limit.
        """
        settings = BeamSettings(
            tf.clip_by_value(beam_width, 1, 64), length_penalty, tf.clip_by_value(max_length, 1, 1024)
        )
        memory, cache = self.model.encode(self._source_token_ids(source))
        # All beams of a row read the same source, so only the cache follows them when they are reordered.
        num_beams = tf.reduce_max(settings.beam_width)
        memory = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, num_beams, axis=0), memory)

        def next_token(token_ids: tf.Tensor, cache: Any) -> tuple[tf.Tensor, Any]:
            return self.model.next_token(token_ids, cache, memory)

        token_ids, scores = beam_search(next_token, cache, settings, num_beams)
        return {"target": self._to_text(token_ids), "score": scores}

    def attend(self, source: tf.Tensor, target: tf.Tensor) -> dict[str, tf.Tensor]:
        """Where each target token looks.

        Returns:
            `weights` float32 (B, T + 1, S), `source_pieces` (B, S) and `target_pieces` (B, T + 1), string. The last
            real piece is the end; "" stands where a row is padded. Weights are zero for a model without attention.
        """
        source_token_ids = self._source_token_ids(source)
        target_token_ids = self.target.tokenize(target)
        rows = target_token_ids.nrows()
        shifted = tf.concat([tf.fill([rows, 1], START_TOKEN_ID), target_token_ids], axis=1).to_tensor()
        pieces = tf.concat([target_token_ids, tf.fill([rows, 1], END_TOKEN_ID)], axis=1).to_tensor()
        inputs = {"source_token_ids": source_token_ids, "decoder_token_ids": shifted}
        _, weights = self.model.align(inputs)
        real = tf.cast(pieces != PAD_TOKEN_ID, weights.dtype)[:, :, tf.newaxis]
        return {
            "weights": weights * real,
            "source_pieces": self.source.look_up(source_token_ids),
            "target_pieces": self.target.look_up(pieces),
        }

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        features = tf.io.parse_example(examples, {"source": tf.io.FixedLenFeature([], tf.string)})
        return self.predict(features["source"])

    def _source_token_ids(self, source: tf.Tensor) -> tf.Tensor:
        # The end token marks where the source stops; it also gives the empty source something to read.
        token_ids = self.source.tokenize(source)
        ends = tf.fill([token_ids.nrows(), 1], END_TOKEN_ID)
        return tf.concat([token_ids, ends], axis=1).to_tensor()

    def _to_text(self, token_ids: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(token_ids)
        flat = tf.reshape(token_ids, [-1, shape[2]])
        return tf.reshape(self.target.detokenize(tf.RaggedTensor.from_tensor(flat)), shape[:2])
