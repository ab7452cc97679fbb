"""The loss beside plain loops over the papers' equations."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.word_neighbours import BLOCK, neighbours
from models.layers.word_vectors import ContinuousBagOfWords, SkipGram

N, E, K, M, WINDOW = 7, 4, 3, 4, 5
LAYERS = {"skip_gram": SkipGram, "cbow": ContinuousBagOfWords}


@dataclasses.dataclass
class Rows:
    """Two rows of several texts, with padding; the radius of each word; the noise words of each block."""

    word_ids: np.ndarray
    text_ids: np.ndarray
    radii: np.ndarray
    noise_ids: np.ndarray

    def tensors(self) -> list[tf.Tensor]:
        return [tf.constant(each, tf.int32) for each in (self.word_ids, self.text_ids, self.radii)]

    @property
    def noise(self) -> tf.Tensor:
        return tf.constant(self.noise_ids.reshape(2, -1), tf.int32)

    def contexts(self, row: int, place: int) -> list[int]:
        """Places around a word that its radius reaches, in the same text."""
        words, texts = self.word_ids[row], self.text_ids[row]
        return [
            other
            for other in range(len(words))
            if 0 < abs(other - place) <= self.radii[row, place]
            and texts[other] == texts[place]
            and words[place]
            and words[other]
        ]


SHORT = Rows(
    np.array([[1, 4, 2, 7, 3, 3], [5, 6, 1, 0, 0, 0]]),
    np.array([[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]),
    np.array([[1, 2, 3, 1, 2, 1], [2, 1, 1, 3, 3, 3]]),
    np.array([[[2, 5, 5, 1]], [[7, 1, 3, 2]]]),
)


def long_rows() -> Rows:
    """Of two blocks and a piece of a third; the second row ends in the second block."""
    rng, length = np.random.default_rng(5), 2 * BLOCK + 7
    word_ids = rng.integers(1, N + 1, (2, length))
    word_ids[1, BLOCK + 9 :] = 0
    texts = np.sort(rng.integers(0, 9, (2, length)))
    return Rows(word_ids, texts, rng.integers(1, WINDOW + 1, (2, length)), rng.integers(1, N + 1, (2, 3, M)))


ROWS = {"short": SHORT, "of several blocks": long_rows()}


@pytest.fixture(params=ROWS)
def rows(request):
    return ROWS[request.param]


@pytest.fixture(params=LAYERS)
def made(request):
    layer = LAYERS[request.param](N, E, K, WINDOW)
    layer.build()
    rng = np.random.default_rng(2)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    v, u = (np.asarray(table.embeddings) for table in (layer.vectors, layer.predicted))
    return request.param, layer, v, u


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


def predictions(architecture: str, v: np.ndarray, rows: Rows, row: int):
    """Place, what predicts there, and the predicted word: one for each term of the objective."""
    words = rows.word_ids[row]
    for place, word in enumerate(words):
        around = rows.contexts(row, place)
        if architecture == "skip_gram":  # 2013b, eq. 1: each word around is predicted by the word
            for other in around:
                yield place, v[word], words[other]
        elif around:  # 2013a, section 3.1: the mean of the words around predicts the word
            yield place, sum(v[words[other]] for other in around) / len(around), word


def negative_sampling(hidden: np.ndarray, word: int, u: np.ndarray, noise: list[tuple[int, float]]) -> float:
    """2013b, eq. 4, with its sign turned; the expectation over k draws is k times that over one."""
    objective = log_sigmoid(float(u[word] @ hidden))
    for _ in range(K):
        for noise_word, probability in noise:
            objective += probability * log_sigmoid(-float(u[noise_word] @ hidden))
    return -objective


def expected(architecture: str, v: np.ndarray, u: np.ndarray, rows: Rows, noise_at) -> tuple[list[float], list[int]]:
    losses, numbers = [], []
    for row in range(2):
        terms = [
            negative_sampling(h, word, u, noise_at(row, place))
            for place, h, word in predictions(architecture, v, rows, row)
        ]
        losses.append(sum(terms))
        numbers.append(len(terms))
    return losses, numbers


def test_the_loss_is_that_of_negative_sampling(made, rows):
    architecture, layer, v, u = made
    loss, number = layer(*rows.tensors(), rows.noise)
    noise = rows.noise_ids
    losses, numbers = expected(
        architecture, v, u, rows, lambda row, place: [(word, 1 / M) for word in noise[row, place // BLOCK]]
    )
    np.testing.assert_allclose(loss, losses, rtol=1e-5)
    np.testing.assert_array_equal(number, numbers)


def test_the_expected_loss_is_that_over_all_noise_words(made, rows):
    architecture, layer, v, u = made
    probabilities = np.arange(1, N + 1) / (N * (N + 1) / 2)
    loss, number = layer.expected_loss(*rows.tensors(), tf.constant(probabilities, tf.float32))
    losses, numbers = expected(architecture, v, u, rows, lambda row, place: list(enumerate(probabilities, 1)))
    np.testing.assert_allclose(loss, losses, rtol=1e-5)
    np.testing.assert_array_equal(number, numbers)


def test_near_is_within_the_radius_in_the_same_text(rows):
    found = neighbours(*rows.tensors(), WINDOW)
    size = min(BLOCK, rows.word_ids.shape[1])
    near, centres, contexts = (np.asarray(each) for each in (found.near, found.centres, found.contexts))
    for row in range(2):
        for place, word in enumerate(rows.word_ids[row]):
            block, of_block = divmod(place, size)
            assert centres[row, block, of_block] == word
            columns = np.flatnonzero(near[row, block, of_block])
            assert (columns - WINDOW + block * size).tolist() == rows.contexts(row, place)
            wanted = [rows.word_ids[row, other] for other in rows.contexts(row, place)]
            assert contexts[row, block, columns].tolist() == wanted


def test_a_row_without_neighbours_costs_nothing(made):
    _, layer, _, _ = made
    alone = tf.constant([[3, 0]])
    loss, number = layer(alone, tf.zeros_like(alone), tf.ones_like(alone), tf.constant([[1, 2]]))
    assert (float(loss[0]), float(number[0])) == (0, 0)


def test_bfloat16_gives_nearly_the_same(made):
    architecture, layer, _, _ = made
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = LAYERS[architecture](N, E, K, WINDOW)
    finally:
        keras.config.set_dtype_policy("float32")
    other.build()
    other.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        other(*SHORT.tensors(), SHORT.noise)[0], layer(*SHORT.tensors(), SHORT.noise)[0], rtol=0.03
    )
