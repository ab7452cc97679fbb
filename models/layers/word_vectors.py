"""Vectors of words that predict the words around them, by negative sampling (Mikolov et al., 2013b, section 2.2).

B: batch, T: words of a row, M: noise words of a row, N: words, E: width of a vector. Word id 0 is padding. A word is
near another one where it stands in the same text, not further away than the radius of that one.
"""

import abc
from typing import Any

import keras
from keras import ops


class WordVectors(keras.layers.Layer, abc.ABC):
    """A vector of each word, a second one for when it is predicted, and the loss of predicting.

    Eq. 4 for one predicted word: -log s(u . h) - sum over k noise words of log s(-u_noise . h), s the logistic curve.
    We differ in where noise words come from: all predictions of a row share M of them, each of which counts k / M
    times, so that one matrix product scores them all. The expected loss is that of eq. 4.

    Args:
        num_words: N.
        embedding_dim: E.
        negative_samples: k.
    """

    def __init__(self, num_words: int, embedding_dim: int, negative_samples: int, name: str = "word_vectors"):
        super().__init__(name=name)
        self.num_words = num_words
        self.embedding_dim = embedding_dim
        self.negative_samples = negative_samples
        around_zero = keras.initializers.RandomUniform(-0.5 / embedding_dim, 0.5 / embedding_dim)
        self.vectors = keras.layers.Embedding(num_words + 1, embedding_dim, around_zero, name="vectors")
        self.predicted = keras.layers.Embedding(num_words + 1, embedding_dim, "zeros", name="predicted")

    def build(self, *shapes: Any) -> None:
        """Makes both vectors of each word."""
        self.vectors.build((None, None))
        self.predicted.build((None, None))
        self.built = True

    @abc.abstractmethod
    def predictors(self, vectors: keras.KerasTensor, near: keras.KerasTensor) -> keras.KerasTensor:
        """What predicts at each place: vectors float (B, T, E), near float (B, T, T), 1 = near, to float (B, T, E)."""

    @abc.abstractmethod
    def predictions(self, near: keras.KerasTensor) -> keras.KerasTensor:
        """Which words are predicted at each place: near float (B, T, T) to float (B, T, T), 1 = predicted."""

    def call(
        self,
        word_ids: keras.KerasTensor,
        text_ids: keras.KerasTensor,
        radii: keras.KerasTensor,
        noise_ids: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Predicts.

        Args:
            word_ids: int (B, T).
            text_ids: int (B, T), the same for words of the same text.
            radii: int (B, T), at least 1.
            noise_ids: int (B, M).

        Returns:
            loss of all predictions of a row and their number, both float32 (B,).
        """
        predictors, loss, predictions = self._known(word_ids, text_ids, radii)
        noise = ops.matmul(predictors, ops.swapaxes(self.predicted(noise_ids), 1, 2))  # (B, T, M)
        mean_noise = ops.mean(_loss_of_noise(noise), axis=-1)
        return loss + self._noise(predictions, mean_noise), ops.sum(predictions, axis=-1)

    def expected_loss(
        self,
        word_ids: keras.KerasTensor,
        text_ids: keras.KerasTensor,
        radii: keras.KerasTensor,
        noise_probabilities: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """As `call`, with the expectation over all noise words in place of draws: their probabilities float (N,)."""
        predictors, loss, predictions = self._known(word_ids, text_ids, radii)
        noise = ops.matmul(predictors, ops.transpose(ops.cast(self.predicted.embeddings[1:], predictors.dtype)))
        mean_noise = ops.sum(_loss_of_noise(noise) * noise_probabilities, axis=-1)
        return loss + self._noise(predictions, mean_noise), ops.sum(predictions, axis=-1)

    def _known(
        self, word_ids: keras.KerasTensor, text_ids: keras.KerasTensor, radii: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """What predicts, (B, T, E), the loss of the true words, (B,), and how many are predicted at a place, (B, T)."""
        near = near_words(word_ids, text_ids, radii)
        predictors = self.predictors(self.vectors(word_ids), ops.cast(near, self.compute_dtype))
        predictions = self.predictions(ops.cast(near, "float32"))
        scores = ops.matmul(predictors, ops.swapaxes(self.predicted(word_ids), 1, 2))  # (B, T, T)
        loss = ops.sum(predictions * ops.softplus(-ops.cast(scores, "float32")), axis=(1, 2))
        return predictors, loss, ops.sum(predictions, axis=-1)

    def _noise(self, predictions: keras.KerasTensor, mean_noise: keras.KerasTensor) -> keras.KerasTensor:
        return self.negative_samples * ops.sum(predictions * mean_noise, axis=-1)


class SkipGram(WordVectors):
    """A word predicts each word around it (Mikolov et al., 2013a, section 3.2; 2013b, eq. 1)."""

    def predictors(self, vectors: keras.KerasTensor, near: keras.KerasTensor) -> keras.KerasTensor:
        """The word itself."""
        return vectors

    def predictions(self, near: keras.KerasTensor) -> keras.KerasTensor:
        """Those near it."""
        return near


class ContinuousBagOfWords(WordVectors):
    """The mean of the words around a word predicts it (Mikolov et al., 2013a, section 3.1)."""

    def predictors(self, vectors: keras.KerasTensor, near: keras.KerasTensor) -> keras.KerasTensor:
        """The mean of those near it; zeros where there is none."""
        share = near / ops.maximum(ops.sum(near, axis=-1, keepdims=True), 1)
        return ops.matmul(share, vectors)

    def predictions(self, near: keras.KerasTensor) -> keras.KerasTensor:
        """The word itself, where there is one near it."""
        has_context = ops.max(near, axis=-1, keepdims=True)
        return has_context * ops.eye(ops.shape(near)[1], dtype=near.dtype)


def near_words(word_ids: keras.KerasTensor, text_ids: keras.KerasTensor, radii: keras.KerasTensor) -> keras.KerasTensor:
    """Which words are near which: int (B, T) each to bool (B, T, T); no word is near itself, padding near nothing."""
    places = ops.arange(ops.shape(word_ids)[1])
    distance = ops.abs(places[:, None] - places[None, :])
    within = ops.logical_and(distance > 0, distance <= ops.expand_dims(radii, 2))
    same_text = ops.equal(ops.expand_dims(text_ids, 2), ops.expand_dims(text_ids, 1))
    real = ops.not_equal(word_ids, 0)
    both_real = ops.logical_and(ops.expand_dims(real, 2), ops.expand_dims(real, 1))
    return ops.logical_and(ops.logical_and(within, same_text), both_real)


def _loss_of_noise(scores: keras.KerasTensor) -> keras.KerasTensor:
    return ops.softplus(ops.cast(scores, "float32"))
