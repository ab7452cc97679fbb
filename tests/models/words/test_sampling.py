import math

import numpy as np
import pytest
import tensorflow as tf

from models.words.sampling import draw_noise, draw_radii, kept_shares, leave_out, noise_probabilities

COUNTS = [500, 100, 40, 9, 1]
SEED = tf.constant([3, 4], tf.int64)


def test_a_word_is_discarded_with_the_probability_of_the_paper():
    total = sum(COUNTS)
    for t in (1e-3, 1e-2, 0.5):
        for count, kept in zip(COUNTS, kept_shares(COUNTS, t), strict=True):
            discarded = 1 - math.sqrt(t / (count / total))  # 2013b, eq. 5
            assert 1 - kept == pytest.approx(max(0.0, discarded), abs=1e-12)


def test_without_a_threshold_no_word_is_discarded():
    assert kept_shares(COUNTS, 0).tolist() == [1] * 5


def test_noise_is_the_unigram_distribution_to_the_power_of_three_quarters():
    powers = [count**0.75 for count in COUNTS]
    expected = [power / sum(powers) for power in powers]
    np.testing.assert_allclose(noise_probabilities(COUNTS, 0.75), expected, rtol=1e-12)
    np.testing.assert_allclose(noise_probabilities(COUNTS, 1.0), np.array(COUNTS) / sum(COUNTS), rtol=1e-12)


def test_noise_words_are_drawn_as_probable_as_they_are():
    probabilities = noise_probabilities(COUNTS, 0.75)
    drawn = draw_noise(probabilities, 200_000, SEED).numpy()
    shares = np.bincount(drawn, minlength=6)[1:] / len(drawn)
    np.testing.assert_allclose(shares, probabilities, atol=0.005)
    assert drawn.min() == 1 and drawn.max() == 5


def test_words_stay_as_probable_as_they_are_kept_and_padding_never():
    word_ids = tf.repeat([0, 1, 5], 50_000)
    kept = np.array([0.3, 1, 1, 1, 0.9])
    stay = leave_out(word_ids, kept, SEED).numpy().reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(stay, [0, 0.3, 0.9], atol=0.01)


def test_each_radius_up_to_the_window_is_as_probable():
    shares = np.bincount(draw_radii([60_000], 3, SEED).numpy(), minlength=4) / 60_000
    np.testing.assert_allclose(shares, [0, 1 / 3, 1 / 3, 1 / 3], atol=0.01)
