"""A layer of the Transformer and its parts beside a plain reading of the papers, on random weights."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers.masks import past_visible, real_visible
from models.layers.transformer_block import BlockSizes, TransformerBlock
from tests.models.layers.equations import randomized
from tests.models.layers.transformer_equations import block, turned

H, T, S = 8, 4, 3


@pytest.mark.parametrize(
    ("norm", "activation", "rotary"), [("after", "relu", False), ("before", "gelu", False), ("before", "gated", True)]
)
def test_a_layer_is_that_of_the_papers(norm, activation, rotary):
    rng = np.random.default_rng(1)
    layer = TransformerBlock(BlockSizes(H, 2, 5, activation, norm, rotary, 0.1, 0.1), has_source=True)
    layer.build((None, None, H))
    randomized(layer, rng)
    rows, source = (rng.normal(size=(2, length, H)).astype("float32") for length in (T, S))
    real = np.array([[True] * S, [True, False, False]])
    positions = tf.range(T)
    asked = layer.source_attention.keys_and_values(source)
    found, _, weights = layer(
        rows,
        past_visible(positions, T),
        positions,
        source=asked,
        source_visible=real_visible(tf.constant(real)),
    )
    turn = turned if rotary else lambda x, position: x
    for row in range(2):
        wanted, looked = block(layer, rows[row], lambda t, s: s <= t, source[row, : real[row].sum()], turn)
        np.testing.assert_allclose(found[row], wanted, atol=1e-5)
        np.testing.assert_allclose(weights[row, :, : real[row].sum()], looked.mean(axis=0), atol=1e-5)
    alone, _, nothing = layer(rows, real_visible(tf.ones((2, T), tf.bool)), positions)
    np.testing.assert_allclose(alone[0], block(layer, rows[0], lambda t, s: True, None, turn)[0], atol=1e-5)
    assert nothing is None
