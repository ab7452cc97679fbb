import keras
import numpy as np
import pytest
import tensorflow as tf

from models.losses import SmoothedCrossEntropy


def test_without_smoothing_it_is_keras_own_cross_entropy():
    logits = np.random.default_rng(0).normal(size=(2, 3, 5)).astype("float32")
    right = np.array([[0, 4, 2], [1, 1, 3]])
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(right, logits)
    np.testing.assert_allclose(SmoothedCrossEntropy()(right, logits), keras_loss, rtol=1e-5)


def test_smoothing_is_keras_own_with_dense_targets():
    logits = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    right = np.array([0, 4, 2, 2])
    dense = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(np.eye(5)[right], logits)
    np.testing.assert_allclose(SmoothedCrossEntropy(0.1)(right, logits), dense, rtol=1e-5)


def test_padding_is_left_out_of_the_mean():
    logits = np.array([[[5.0, 0.0], [0.0, 5.0]]], "float32")
    right = np.array([[0, 0]])
    alone = SmoothedCrossEntropy()(right[:, :1], logits[:, :1])
    np.testing.assert_allclose(SmoothedCrossEntropy()(right, logits, np.array([[1.0, 0.0]])), alone, rtol=1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_the_loss_is_that_of_the_equations(epsilon):
    """Szegedy et al. (2016), section 7: -sum of q(k) log p(k), q(k) = (1 - epsilon) [k is right] + epsilon / K."""
    rng = np.random.default_rng(1)
    logits, right = rng.normal(size=(3, 4, 5)).astype("float32"), rng.integers(0, 5, (3, 4))
    real = np.arange(4) < np.array([4, 2, 1])[:, np.newaxis]
    total = 0.0
    for row, time in zip(*np.nonzero(real), strict=True):
        scores = np.exp(logits[row, time])
        for k, score in enumerate(scores):
            q = (1 - epsilon) * (k == right[row, time]) + epsilon / 5
            total -= q * np.log(score / scores.sum())
    loss = SmoothedCrossEntropy(epsilon)(right, logits, real.astype("float32"))
    np.testing.assert_allclose(loss, total / real.sum(), atol=1e-5)


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_the_gradient_is_the_softmax_less_the_target(epsilon):
    """d loss / d z_k = p(k) - q(k), each position by its share of the mean."""
    rng = np.random.default_rng(2)
    logits, right = rng.normal(size=(2, 3, 5)).astype("float32"), rng.integers(0, 5, (2, 3))
    weights = np.array([[1, 1, 0], [1, 0, 0]], "float32")
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        loss = SmoothedCrossEntropy(epsilon)(right, variable, weights)
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    target = (1 - epsilon) * np.eye(5)[right] + epsilon / 5
    expected = (softmax - target) * weights[..., np.newaxis] / weights.sum()
    np.testing.assert_allclose(tape.gradient(loss, variable), expected, atol=1e-6)
