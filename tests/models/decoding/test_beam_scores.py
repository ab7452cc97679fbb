"""Wu et al. (2016, eq. 14), number by number."""

import numpy as np
import pytest
import tensorflow as tf

from models.decoding.beam_scores import coverage_penalty, length_penalty


def test_length_penalty_is_that_of_wu_et_al():
    """(5 + |Y|)^alpha / 6^alpha: of one token 1, of seven 2 to the alpha, of nineteen 4 to the alpha."""
    alphas = tf.constant([0.0, 0.6, 1.0, 2.0])
    for length, base in [(1.0, 1.0), (7.0, 2.0), (19.0, 4.0)]:
        penalty = length_penalty(tf.constant(length), alphas)
        np.testing.assert_allclose(penalty, base ** alphas.numpy()[:, np.newaxis], rtol=1e-5)


def test_coverage_penalty_is_that_of_wu_et_al():
    """Positions that got 1 or more cost nothing; others the logarithm of what they got."""
    attended = tf.constant([[[0.5, 1.0, 0.25], [2.0, 0.1, 3.0]]])
    penalty = coverage_penalty(attended, tf.constant([[True, True, True]]), tf.constant([0.2]))
    np.testing.assert_allclose(penalty, [[0.2 * (np.log(0.5) + np.log(0.25)), 0.2 * np.log(0.1)]], rtol=1e-5)


def test_padding_of_a_source_need_not_be_covered():
    attended, beta = tf.constant([[[0.5, 0.01]], [[0.5, 0.01]]]), tf.constant([1.0, 1.0])
    penalty = coverage_penalty(attended, tf.constant([[True, False], [True, True]]), beta)
    np.testing.assert_allclose(penalty, [[np.log(0.5)], [np.log(0.5) + np.log(0.01)]], rtol=1e-5)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_a_position_without_attention_costs_a_finite_number(beta):
    penalty = coverage_penalty(tf.zeros([1, 1, 4]), tf.constant([[True] * 4]), tf.constant([beta]))
    np.testing.assert_allclose(penalty, [[beta * 4 * np.log(1e-30)]], rtol=1e-5)
