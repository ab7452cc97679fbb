"""The loss beside plain loops over the papers' equations."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.word_vectors import ContinuousBagOfWords, SkipGram, near_words

N, E, K = 7, 4, 3
LAYERS = {"skip_gram": SkipGram, "cbow": ContinuousBagOfWords}
# Rows of several texts, with padding; radii of each word.
WORD_IDS = np.array([[1, 4, 2, 7, 3, 3], [5, 6, 1, 0, 0, 0]])
TEXT_IDS = np.array([[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]])
RADII = np.array([[1, 2, 3, 1, 2, 1], [2, 1, 1, 3, 3, 3]])
NOISE_IDS = np.array([[2, 5, 5, 1], [7, 1, 3, 2]])


@pytest.fixture(params=LAYERS)
def made(request):
    layer = LAYERS[request.param](N, E, K)
    layer.build()
    rng = np.random.default_rng(2)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    v, u = (np.asarray(table.embeddings) for table in (layer.vectors, layer.predicted))
    return request.param, layer, v, u


def log_sigmoid(x: float) -> float:
    return -math.log(1 + math.exp(-x))


def contexts(row: int, place: int) -> list[int]:
    """Places around a word that its radius reaches, in the same text."""
    found = []
    for other in range(WORD_IDS.shape[1]):
        in_reach = 0 < abs(other - place) <= RADII[row, place]
        if in_reach and TEXT_IDS[row, other] == TEXT_IDS[row, place] and WORD_IDS[row, place] and WORD_IDS[row, other]:
            found.append(other)
    return found


def predictions(architecture: str, v: np.ndarray, row: int):
    """What predicts, and the predicted word: one pair for each term of the objective."""
    for place in range(WORD_IDS.shape[1]):
        around = contexts(row, place)
        if architecture == "skip_gram":  # 2013b, eq. 1: each word around is predicted by the word
            for other in around:
                yield v[WORD_IDS[row, place]], WORD_IDS[row, other]
        elif around:  # 2013a, section 3.1: the mean of the words around predicts the word
            yield sum(v[WORD_IDS[row, other]] for other in around) / len(around), WORD_IDS[row, place]


def negative_sampling(hidden: np.ndarray, word: int, u: np.ndarray, noise: list[tuple[int, float]]) -> float:
    """2013b, eq. 4, with its sign turned; the expectation over k draws is k times that over one."""
    objective = log_sigmoid(float(u[word] @ hidden))
    for _ in range(K):
        for noise_word, probability in noise:
            objective += probability * log_sigmoid(-float(u[noise_word] @ hidden))
    return -objective


def expected(architecture: str, v: np.ndarray, u: np.ndarray, noise_of_row) -> tuple[list[float], list[int]]:
    losses, numbers = [], []
    for row in range(2):
        terms = [negative_sampling(h, word, u, noise_of_row(row)) for h, word in predictions(architecture, v, row)]
        losses.append(sum(terms))
        numbers.append(len(terms))
    return losses, numbers


def test_the_loss_is_that_of_negative_sampling(made):
    architecture, layer, v, u = made
    loss, number = layer(*(tf.constant(each, tf.int32) for each in (WORD_IDS, TEXT_IDS, RADII, NOISE_IDS)))
    losses, numbers = expected(architecture, v, u, lambda row: [(word, 1 / 4) for word in NOISE_IDS[row]])
    np.testing.assert_allclose(loss, losses, rtol=1e-5)
    np.testing.assert_array_equal(number, numbers)


def test_the_expected_loss_is_that_over_all_noise_words(made):
    architecture, layer, v, u = made
    probabilities = np.arange(1, N + 1) / (N * (N + 1) / 2)
    rows = (tf.constant(each, tf.int32) for each in (WORD_IDS, TEXT_IDS, RADII))
    loss, number = layer.expected_loss(*rows, tf.constant(probabilities, tf.float32))
    losses, numbers = expected(architecture, v, u, lambda row: list(enumerate(probabilities, 1)))
    np.testing.assert_allclose(loss, losses, rtol=1e-5)
    np.testing.assert_array_equal(number, numbers)


def test_near_is_within_the_radius_in_the_same_text():
    near = near_words(*(tf.constant(each, tf.int32) for each in (WORD_IDS, TEXT_IDS, RADII))).numpy()
    for row in range(2):
        for place in range(6):
            assert np.flatnonzero(near[row, place]).tolist() == contexts(row, place)


def test_a_row_without_neighbours_costs_nothing(made):
    _, layer, _, _ = made
    alone = tf.constant([[3, 0]])
    loss, number = layer(alone, tf.zeros_like(alone), tf.ones_like(alone), tf.constant([[1, 2]]))
    assert (float(loss[0]), float(number[0])) == (0, 0)


def test_bfloat16_gives_nearly_the_same(made):
    architecture, layer, _, _ = made
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = LAYERS[architecture](N, E, K)
    finally:
        keras.config.set_dtype_policy("float32")
    other.build()
    other.set_weights(layer.get_weights())
    rows = [tf.constant(each, tf.int32) for each in (WORD_IDS, TEXT_IDS, RADII, NOISE_IDS)]
    np.testing.assert_allclose(other(*rows)[0], layer(*rows)[0], rtol=0.03)
