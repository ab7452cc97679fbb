"""Vectors of words that predict the words around them, by negative sampling (Mikolov et al., 2013b, section 2.2).

B: batch, T: words of a row, R: blocks of a row, S: words of a block, C: words in and around a block
(`models.layers.word_neighbours`), M: noise words of a block, N: words, E: width of a vector. Word id 0 is padding. A
word is near another one where it stands in the same text, not further away than the radius of that one.
"""

import abc
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.layers.word_neighbours import Neighbours, neighbours


class WordVectors(keras.layers.Layer, abc.ABC):
    """A vector of each word, a second one for when it is predicted, and the loss of predicting.

    Eq. 4 for one predicted word: -log s(u . h) - sum over k noise words of log s(-u_noise . h), s the logistic curve.
    We differ in where noise words come from: all predictions of a block share M of them, each of which counts k / M
    times, so that one matrix product scores them all. The expected loss is that of eq. 4.

    Args:
        num_words: N.
        embedding_dim: E.
        negative_samples: k.
        window: the greatest radius.
    """

    def __init__(
        self, num_words: int, embedding_dim: int, negative_samples: int, window: int, name: str = "word_vectors"
    ):
        super().__init__(name=name)
        self.num_words = num_words
        self.embedding_dim = embedding_dim
        self.negative_samples = negative_samples
        self.window = window
        around_zero = keras.initializers.RandomUniform(-0.5 / embedding_dim, 0.5 / embedding_dim)
        self.vectors = keras.layers.Embedding(num_words + 1, embedding_dim, around_zero, name="vectors")
        self.predicted = keras.layers.Embedding(num_words + 1, embedding_dim, "zeros", name="predicted")

    def build(self, *shapes: Any) -> None:
        """Makes both vectors of each word."""
        self.vectors.build((None, None))
        self.predicted.build((None, None))
        self.built = True

    @abc.abstractmethod
    def score(
        self, words: Neighbours, near: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Scores what is predicted.

        Args:
            words: in blocks.
            near: their `near`, float32 (B, R, S, C).

        Returns:
            what predicts at each place, float (B, R, S, E); the loss of the true words that it predicts, and their
            number, float32 (B, R, S).
        """

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
            radii: int (B, T), 1 to `window`.
            noise_ids: int (B, R * M), those of each block after each other.

        Returns:
            loss of all predictions of a row and their number, both float32 (B,).
        """
        words = neighbours(word_ids, text_ids, radii, self.window)
        blocks = ops.shape(words.centres)[1]
        noise_vectors = self.predicted(ops.reshape(noise_ids, (ops.shape(noise_ids)[0], blocks, -1)))
        predictors, loss, predictions = self._score(words)
        noise = _products(predictors, noise_vectors)  # (B, R, S, M)
        return self._summed(loss, predictions, ops.mean(_loss_of_noise(noise), axis=-1))

    def expected_loss(
        self,
        word_ids: keras.KerasTensor,
        text_ids: keras.KerasTensor,
        radii: keras.KerasTensor,
        noise_probabilities: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """As `call`, with the expectation over all noise words in place of draws: their probabilities float (N,)."""
        predictors, loss, predictions = self._score(neighbours(word_ids, text_ids, radii, self.window))
        noise = ops.matmul(predictors, ops.transpose(ops.cast(self.predicted.embeddings[1:], predictors.dtype)))
        return self._summed(loss, predictions, ops.sum(_loss_of_noise(noise) * noise_probabilities, axis=-1))

    def _score(self, words: Neighbours) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        return self.score(words, ops.cast(words.near, "float32"))

    def _summed(
        self, loss: keras.KerasTensor, predictions: keras.KerasTensor, mean_noise: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Places (B, R, S) to rows (B,)."""
        loss = loss + self.negative_samples * predictions * mean_noise
        return ops.sum(loss, axis=(1, 2)), ops.sum(predictions, axis=(1, 2))


class SkipGram(WordVectors):
    """A word predicts each word around it (Mikolov et al., 2013a, section 3.2; 2013b, eq. 1)."""

    def score(
        self, words: Neighbours, near: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """The word itself predicts those near it."""
        predictors = self.vectors(words.centres)
        scores = _products(predictors, self.predicted(words.contexts))  # (B, R, S, C)
        return predictors, ops.sum(near * _loss_of_truth(scores), axis=-1), ops.sum(near, axis=-1)


class ContinuousBagOfWords(WordVectors):
    """The mean of the words around a word predicts it (Mikolov et al., 2013a, section 3.1)."""

    def score(
        self, words: Neighbours, near: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """The mean of those near a word predicts it, where there is one near it."""
        number = ops.sum(near, axis=-1)
        share = near / ops.expand_dims(ops.maximum(number, 1), -1)
        predictors = ops.matmul(ops.cast(share, self.compute_dtype), self.vectors(words.contexts))
        scores = ops.sum(predictors * self.predicted(words.centres), axis=-1)  # (B, R, S)
        predictions = ops.minimum(number, 1)
        return predictors, predictions * _loss_of_truth(scores), predictions


def _products(ours: keras.KerasTensor, theirs: keras.KerasTensor) -> keras.KerasTensor:
    """Of each vector with each: float (B, R, any, E) and (B, R, other, E) to (B, R, any, other)."""
    # Not ops.matmul with ops.swapaxes, nor ops.einsum: both copy the vectors, and their gradients.
    return tf.matmul(ours, theirs, transpose_b=True)


def _loss_of_truth(scores: keras.KerasTensor) -> keras.KerasTensor:
    return ops.softplus(-ops.cast(scores, "float32"))


def _loss_of_noise(scores: keras.KerasTensor) -> keras.KerasTensor:
    return ops.softplus(ops.cast(scores, "float32"))
