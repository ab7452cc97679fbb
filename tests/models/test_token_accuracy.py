import keras
import numpy as np

from models.token_accuracy import TokenAccuracy


def test_it_is_keras_own_with_weights():
    rng = np.random.default_rng(0)
    logits = rng.integers(0, 3, (4, 6, 5)).astype("float32")  # many ties: the first of them counts
    right, weights = rng.integers(0, 5, (4, 6)), rng.integers(0, 2, (4, 6)).astype("float32")
    keras_own, ours = keras.metrics.SparseCategoricalAccuracy(), TokenAccuracy.from_config(TokenAccuracy().get_config())
    for metric in (keras_own, ours):
        metric.update_state(right, logits, weights)
    assert 0 < float(ours.result()) < 1
    np.testing.assert_allclose(ours.result(), keras_own.result(), rtol=1e-6)
