"""Scores and weights beside the papers' equations, one position at a time."""

import numpy as np
import pytest

from models.layers.attention import ATTENTIONS, attend
from tests.models.layers.equations import dense, randomized, sigmoid

UNITS, S = 3, 4


def bahdanau(layer, s, h):
    """Bahdanau et al. (2015), A.1.2: v . tanh(W s + U h)."""
    hidden = np.tanh(dense(layer.query_projection, s) + dense(layer.key_projection, h))
    return dense(layer.score_projection, hidden)[0]


def concat(layer, s, h):
    """Luong et al. (2015), eq. 8: v . tanh(W [s; h]), W the two projections side by side."""
    w = np.concatenate([layer.query_projection.get_weights()[0], layer.key_projection.get_weights()[0]])
    [v] = layer.score_projection.get_weights()
    return np.tanh(np.concatenate([s, h]) @ w) @ v[:, 0]


SCORES = {
    "bahdanau": bahdanau,
    "gated": bahdanau,
    "luong_dot": lambda layer, s, h: s @ h,
    "luong_general": lambda layer, s, h: s @ dense(layer.key_projection, h),
    "luong_concat": concat,
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_scores_are_those_of_the_paper(name):
    rng = np.random.default_rng(0)
    scorer = ATTENTIONS[name].scorer(UNITS)
    scorer.build((None, UNITS))
    randomized(scorer, rng)
    queries = rng.normal(size=(2, UNITS)).astype("float32")
    source = rng.normal(size=(2, S, UNITS)).astype("float32")
    scores = scorer(queries, scorer.project_keys(source))
    for row in range(2):
        expected = [SCORES[name](scorer, queries[row], h) for h in source[row]]
        np.testing.assert_allclose(scores[row], expected, atol=1e-5)


def test_weights_are_the_softmax_over_real_positions():
    scores = np.log([[1.0, 3.0, 100.0]]).astype("float32")
    values = np.array([[[1.0], [5.0], [9.0]]], "float32")
    context, weights = attend(scores, values, np.array([[True, True, False]]))
    np.testing.assert_allclose(weights, [[0.25, 0.75, 0.0]], atol=1e-6)
    np.testing.assert_allclose(context, [[4.0]], atol=1e-5)


def test_gates_are_the_sigmoid_of_each_real_position_by_itself():
    scores = np.array([[0.5, -1.0, 100.0]], "float32")
    values = np.array([[[1.0], [5.0], [9.0]]], "float32")
    context, weights = attend(scores, values, np.array([[True, True, False]]), "sigmoid")
    np.testing.assert_allclose(weights, [[sigmoid(0.5), sigmoid(-1.0), 0.0]], atol=1e-6)
    np.testing.assert_allclose(context, [[sigmoid(0.5) + 5 * sigmoid(-1.0)]], atol=1e-5)
