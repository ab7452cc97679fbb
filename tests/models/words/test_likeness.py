"""Analogies beside plain loops over the papers' equations."""

import math

import numpy as np
import tensorflow as tf

from models.words.likeness import best, three_cos_add, three_cos_mul, unit_vectors

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(9, 4)).astype(np.float32)
QUESTIONS = [(0, 3, 5), (7, 2, 1)]


def cosine(x, y) -> float:
    dot = sum(float(a) * float(b) for a, b in zip(x, y, strict=True))
    return dot / math.sqrt(sum(float(a) ** 2 for a in x) * sum(float(b) ** 2 for b in y))


def asked(method) -> np.ndarray:
    units = unit_vectors(tf.constant(VECTORS))
    given = [tf.gather(units, [question[place] for question in QUESTIONS]) for place in range(3)]
    return method(units, *given).numpy()


def test_three_cos_add_is_the_cosine_with_the_offset_and_orders_as_the_sum_of_cosines():
    scores = asked(three_cos_add)
    for row, (a, b, c) in zip(scores, QUESTIONS, strict=True):
        unit = [vector / np.linalg.norm(vector) for vector in VECTORS.astype(np.float64)]
        offset = unit[b] - unit[a] + unit[c]
        np.testing.assert_allclose(row, [cosine(d, offset) for d in VECTORS], atol=1e-5)
        # Levy and Goldberg (2014), eq. 3.
        sums = [cosine(d, VECTORS[b]) - cosine(d, VECTORS[a]) + cosine(d, VECTORS[c]) for d in VECTORS]
        assert np.argsort(row).tolist() == np.argsort(sums).tolist()


def test_three_cos_mul_is_the_product_of_cosines_by_a_cosine():
    scores = asked(three_cos_mul)
    for row, (a, b, c) in zip(scores, QUESTIONS, strict=True):
        for d, score in zip(VECTORS, row, strict=True):
            # Levy and Goldberg (2014), eq. 4, with cosines moved to 0..1 as they say there.
            to_a, to_b, to_c = ((cosine(d, VECTORS[word]) + 1) / 2 for word in (a, b, c))
            np.testing.assert_allclose(score, to_b * to_c / (to_a + 0.001), rtol=1e-4)


def test_the_best_are_those_asked_for_without_those_left_out():
    scores = tf.constant([[0.1, 0.9, 0.5, 0.7], [0.4, 0.3, 0.2, 0.1]])
    ids, values = best(scores, tf.constant([[2, 0], [0, 0]]), tf.constant([2, 3]))
    assert ids.numpy().tolist() == [[4, 3, 0], [1, 2, 3]]
    np.testing.assert_allclose(values, [[0.7, 0.5, 0], [0.4, 0.3, 0.2]])


def test_there_are_no_more_answers_than_words():
    ids, values = best(tf.constant([[0.1, 0.2]]), tf.constant([[1]]), tf.constant([10]))
    assert ids.numpy().tolist() == [[2, 0]]
    assert values.numpy()[0, 1] == 0


def test_zeros_stay_zeros():
    assert unit_vectors(tf.zeros([1, 3])).numpy().tolist() == [[0, 0, 0]]
