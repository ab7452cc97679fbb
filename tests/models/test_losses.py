import keras
import numpy as np

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
