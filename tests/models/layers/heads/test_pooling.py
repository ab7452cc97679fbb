"""Each way to pool beside a plain reading of what it says, on padded rows."""

import numpy as np
import pytest

from models.layers.heads.pooling import Pooling
from tests.models.layers.equations import dense, randomized, softmax

H, T = 4, 5
LENGTHS = (5, 2, 0)


def attention(layer, real):
    """Yang et al. (2016), eq. 5 to 7."""
    u = [dense(layer.attention.projection, h, np.tanh) for h in real]
    alpha = softmax(np.array([dense(layer.attention.score, one)[0] for one in u]))
    return sum(a * h for a, h in zip(alpha, real, strict=True))


EXPECTED = {
    "last": lambda layer, real: real[-1],
    "mean": lambda layer, real: sum(real) / len(real),
    "max": lambda layer, real: np.array([max(h[unit] for h in real) for unit in range(H)]),
    "mean_max": lambda layer, real: np.concatenate([sum(real) / len(real), np.max(real, axis=0)]),
    "attention": attention,
}


@pytest.mark.parametrize("method", EXPECTED)
def test_real_positions_alone_are_pooled(method):
    rng = np.random.default_rng(0)
    layer = Pooling(method)
    hidden_states = rng.normal(size=(len(LENGTHS), T, H)).astype("float32")
    mask = np.arange(T) < np.array(LENGTHS)[:, np.newaxis]
    layer.build(hidden_states.shape)
    randomized(layer, rng)
    pooled = np.asarray(layer(hidden_states, mask, []))
    for row, length in enumerate(LENGTHS[:2]):
        np.testing.assert_allclose(pooled[row], EXPECTED[method](layer, hidden_states[row, :length]), atol=1e-5)
    np.testing.assert_array_equal(pooled[2], np.zeros_like(pooled[2]))


def test_the_last_state_is_the_encoders_where_it_has_one():
    ends = np.ones((1, H), "float32")
    pooled = Pooling("last")(np.zeros((1, T, H), "float32"), np.ones((1, T), bool), [[0 * ends], [ends, 2 * ends]])
    np.testing.assert_array_equal(pooled, ends)
