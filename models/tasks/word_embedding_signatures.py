"""What a model of word vectors answers.

B: batch, T: words of a text, K: answers, E: width of a vector, N: words.
"""

import keras
import tensorflow as tf

from models.description import PaddedAxis
from models.request_settings import RequestSetting
from models.run_settings import RunSettings
from models.tasks.inputs import at_least_one_position
from models.tasks.signatures import Endpoints, Signatures, spec
from models.tokenizers.vocabularies import Vocabularies
from models.words.likeness import best, three_cos_add, three_cos_mul, unit_vectors
from models.words.sampling import noise_probabilities
from models.words.vocabulary import Words


class WordEmbeddingSignatures(Signatures):
    """Words in, vectors, neighbours and analogies out. A word that the model does not know is named in `unknown`."""

    def __init__(
        self,
        model: keras.Model,
        vocabularies: Vocabularies,
        settings: RunSettings,
        request_settings: tuple[RequestSetting, ...] = (),
    ):
        super().__init__(model, vocabularies, settings, request_settings)
        self.words = Words.of(vocabularies, "text")

    def endpoints(self) -> Endpoints:
        """Neighbours of words or texts, vectors, similarity of two words, analogies."""
        k, multiplicative = self.request_specs()
        return {
            "serving_default": (self.predict, [spec("text")]),
            "neighbors": (self.neighbors, [spec("text"), k]),
            "embed": (self.embed, [spec("text")]),
            "similarity": (self.similarity, [spec("a"), spec("b")]),
            "analogy": (self.analogy, [spec("a"), spec("b"), spec("c"), k, multiplicative]),
            "examples": (self.examples, [spec("examples")]),
        }

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """Answers, and the words of a text; one without any has one that is padding."""
        answers = [PaddedAxis(outputs={"words": 1, "score": 1}, told_by="words", padding="")]
        words = PaddedAxis(outputs={"words": 1, "known": 1, "vectors": 1}, told_by="words", padding="", least=1)
        return {"serving_default": answers, "neighbors": answers, "analogy": answers, "embed": [words]}

    def predict(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `neighbors`, as many as a request gets that does not say."""
        return self.neighbors(text, self.defaults(tf.size(text))[0])

    def neighbors(self, text: tf.Tensor, k: tf.Tensor) -> dict[str, tf.Tensor]:
        """The words most like a word, or like all words of a text together, which are no answers themselves.

        Args:
            text: string (B,); several words stand for the mean of their vectors, each of length 1 before.
            k: int32 (B,), answers wanted.

        Returns:
            `words` string (B, K), most alike first, "" where a row has no more; `score` float32 (B, K), cosine
            similarity; `unknown` string (B,), the unknown words of the text. Without a known word there is no answer.
        """
        k = self._wanted(k)
        cut, ragged_ids = self._cut(text)
        ids, units = ragged_ids.to_tensor(), self._units()
        known = tf.cast(ids > 0, tf.float32)[:, :, tf.newaxis]
        mean = unit_vectors(tf.reduce_sum(tf.gather(units, tf.maximum(ids - 1, 0)) * known, axis=1))
        k = tf.where(tf.reduce_any(ids > 0, axis=1), k, 0)
        found, scores = best(tf.matmul(mean, units, transpose_b=True), ids, k)
        unknown = tf.ragged.boolean_mask(cut, ragged_ids == 0)
        return self._answer(found, scores, tf.strings.reduce_join(unknown, axis=-1, separator=" "))

    def embed(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """String (B,) to the words of each text and their vectors.

        Returns:
            `words` string (B, T), "" where a row is padded; `known` int32 (B, T), 1 = known; `vectors` float32
            (B, T, E), as they were learned, zeros for what is unknown.
        """
        cut, ids = (at_least_one_position(each.to_tensor(), axis=1) for each in self._cut(text))
        table = tf.cast(self.model.get_layer("word_vectors").vectors.embeddings, tf.float32)
        known = tf.cast(ids > 0, tf.int32)
        vectors = tf.gather(table, ids) * tf.cast(known, tf.float32)[:, :, tf.newaxis]
        return {"words": cut, "known": known, "vectors": vectors}

    def similarity(self, a: tf.Tensor, b: tf.Tensor) -> dict[str, tf.Tensor]:
        """Two words, string (B,) each, to `score` float32 (B,), their cosine, 0 if one is unknown, and `unknown`."""
        (to_a, to_b), known, unknown = self._given(a, b)
        cosine = tf.reduce_sum(to_a * to_b, axis=-1)
        return {"score": tf.where(known, cosine, 0.0), "unknown": unknown}

    def analogy(
        self, a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, k: tf.Tensor, multiplicative: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """What is to c as b is to a; the three are no answers.

        Args:
            a: word, string (B,); b and c too.
            b: as a.
            c: as a.
            k: int32 (B,), answers wanted.
            multiplicative: int32 (B,), 0: 3CosAdd, 1: 3CosMul (`models.words.likeness`).

        Returns:
            as `neighbors`, with the score of the method; no answer where one of the three is unknown.
        """
        wanted, by_product = self.within_limits(k, multiplicative)
        given, known, unknown = self._given(a, b, c)
        units = self._units()
        scores = tf.where(by_product[:, tf.newaxis] > 0, three_cos_mul(units, *given), three_cos_add(units, *given))
        without = tf.stack([self._id(word) for word in (a, b, c)], axis=1)
        found, best_scores = best(scores, without, tf.where(known, wanted, 0))
        return self._answer(found, best_scores, unknown)

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what the evaluator adds up.

        Nothing is drawn: no word is left out, each looks as far as `window` allows, and noise counts as it is expected.

        Returns:
            float32 (B,): `loss` of all predictions of a text, in nats, `num_predictions`; `num_known` of its
            `num_words`.
        """
        features = tf.io.parse_example(examples, {"text": tf.io.FixedLenFeature([], tf.string)})
        cut, ids = self._cut(features["text"])
        known = tf.ragged.boolean_mask(ids, ids > 0)
        loss, predictions = self._loss(at_least_one_position(known.to_tensor(), axis=1))
        lengths = {"num_words": cut.row_lengths(), "num_known": known.row_lengths()}
        return {
            "loss": loss,
            "num_predictions": predictions,
            **{name: tf.cast(length, tf.float32) for name, length in lengths.items()},
        }

    def _loss(self, word_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        layer, settings = self.model.get_layer("word_vectors"), self.settings.model
        probabilities = noise_probabilities(self.words.counts, settings.noise_exponent)
        noise = tf.constant(probabilities, tf.float32)

        def of_one(ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            row = ids[tf.newaxis]
            loss, number = layer.expected_loss(row, tf.zeros_like(row), tf.fill(tf.shape(row), settings.window), noise)
            return loss[0], number[0]

        # One by one: each place of a text is compared with all words.
        loss, numbers = tf.map_fn(of_one, word_ids, fn_output_signature=(tf.float32, tf.float32))
        return loss, numbers

    def _cut(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """String (B,) to the words of each text and their ids, 0 = unknown, both ragged (B, T)."""
        cut = self.words.cut(texts)
        return cut, cut.with_flat_values(self.words.ids(cut.flat_values))

    def _units(self) -> tf.Tensor:
        """The vectors of all words, float32 (N, E), of length 1."""
        return unit_vectors(self.model.get_layer("word_vectors").vectors.embeddings[1:])

    def _id(self, word: tf.Tensor) -> tf.Tensor:
        """String (B,) to int32 (B,): 0 for what is unknown, or more than one word."""
        cut, ids = self._cut(word)
        return tf.where(cut.row_lengths() == 1, at_least_one_position(ids.to_tensor(), axis=1)[:, 0], 0)

    def _given(self, *given: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
        """Unit vectors (B, E) of words, whether all are known, bool (B,), and those that are not, string (B,)."""
        ids = [self._id(word) for word in given]
        vectors = [tf.gather(self._units(), tf.maximum(each - 1, 0)) for each in ids]
        unknown = [tf.where(each == 0, word, "") for each, word in zip(ids, given, strict=True)]
        known = tf.reduce_all(tf.stack(ids) > 0, axis=0)
        return vectors, known, tf.strings.strip(tf.strings.reduce_join(tf.stack(unknown), axis=0, separator=" "))

    def _wanted(self, k: tf.Tensor) -> tf.Tensor:
        setting = self.request_settings[0]
        return tf.clip_by_value(k, int(setting.least), int(setting.most))

    def _answer(self, ids: tf.Tensor, scores: tf.Tensor, unknown: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"words": self.words.look_up(ids), "score": scores, "unknown": unknown}
