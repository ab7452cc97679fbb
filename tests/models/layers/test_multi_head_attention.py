"""Attention by heads beside a plain reading of the papers' equations, on random weights."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers.masks import past_visible, real_visible
from models.layers.multi_head_attention import MultiHeadAttention, written
from tests.models.layers.equations import randomized
from tests.models.layers.transformer_equations import by_heads, turned

H, T = 8, 5


@pytest.mark.parametrize("rotary", [False, True])
def test_found_and_weights_are_those_of_the_papers_under_both_masks(rotary):
    rng = np.random.default_rng(1)
    layer = MultiHeadAttention(H, 2, rotary)
    layer.build((None, None, H))
    randomized(layer, rng)
    asking, asked = (rng.normal(size=(2, length, H)).astype("float32") for length in (T, T + 1))
    positions = tf.range(T)
    real = np.array([[True] * (T + 1), [True] * 3 + [False] * (T - 2)])
    turn = turned if rotary else lambda x, position: x
    keys_and_values = layer.keys_and_values(asked, tf.range(T + 1))
    found, weights = layer(asking, *keys_and_values, real_visible(tf.constant(real)), positions)
    for row in range(2):
        wanted = by_heads(layer, asking[row], asked[row], lambda t, s, row=row: real[row, s], turn)
        np.testing.assert_allclose(found[row], wanted[0], atol=1e-5)
        np.testing.assert_allclose(weights[row], wanted[1], atol=1e-5)
    keys_and_values = layer.keys_and_values(asking, positions)
    found, weights = layer(asking, *keys_and_values, past_visible(positions, T), positions)
    wanted = by_heads(layer, asking[1], asking[1], lambda t, s: s <= t, turn)
    np.testing.assert_allclose(found[1], wanted[0], atol=1e-5)
    np.testing.assert_allclose(weights[1], wanted[1], atol=1e-5)


def test_a_position_of_each_row_is_written_into_its_own_place():
    rng = np.random.default_rng(2)
    cache, new = rng.normal(size=(3, 2, 4, 5)).astype("float32"), rng.normal(size=(3, 2, 1, 5)).astype("float32")
    places = [2, 0, 3]
    wanted = cache.copy()
    for row, place in enumerate(places):
        for head in range(2):
            wanted[row, head, place] = new[row, head, 0]
    np.testing.assert_array_equal(written(cache, new, tf.constant(places)), wanted)


def test_weights_that_are_dropped_are_told_as_they_were():
    layer = MultiHeadAttention(H, 2, dropout=0.5)
    rows = np.random.default_rng(3).normal(size=(4, 6, H)).astype("float32")
    layer.build((None, None, H))
    arguments = rows, *layer.keys_and_values(rows), tf.constant(True)
    (plain, weights), (dropped, told) = layer(*arguments), layer(*arguments, training=True)
    np.testing.assert_allclose(told, weights, atol=1e-6)
    assert not np.allclose(plain, dropped)
