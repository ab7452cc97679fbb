"""Each cell beside a plain reading of its equations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.cells import CELLS
from tests.models.layers.equations import STEPS, randomized

D, H, N = 3, 4, 5


def made(name: str, layer_normalization: bool = False):
    cell = CELLS[name](H, layer_normalization)
    cell.build((None, D))
    randomized(cell, np.random.default_rng(1))
    return cell


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("layer_normalization", [False, True])
@pytest.mark.parametrize("dropped", [False, True])
def test_a_step_is_that_of_the_equations(name, layer_normalization, dropped):
    rng = np.random.default_rng(2)
    cell = made(name, layer_normalization)
    x = rng.normal(size=(N, D)).astype("float32")
    states = rng.normal(size=(len(cell.states), N, H)).astype("float32")
    mask = (rng.integers(0, 2, (N, H)) * 2).astype("float32") if dropped else np.ones((N, H), "float32")
    output, following = cell(cell.input_projection(x), list(states), mask if dropped else None)
    np.testing.assert_array_equal(output, following[0])
    for row in range(N):
        expected = STEPS[name](cell, x[row], list(states[:, row]), mask[row])
        np.testing.assert_allclose([state[row] for state in following], expected, atol=1e-5)


@pytest.mark.parametrize("layer_normalization", [False, True])
def test_a_fresh_lstm_remembers(layer_normalization):
    """Its forget gate's bias is 1 (Jozefowicz et al., 2015), all others 0."""
    cell = CELLS["lstm"](H, layer_normalization)
    cell.build((None, D))
    [bias] = [weight for weight in cell.trainable_variables if weight.path.split("/")[-1] in ("bias", "beta")][:1]
    np.testing.assert_array_equal(bias, [*[0] * H, *[1] * H, *[0] * 2 * H])


@pytest.mark.parametrize("name", CELLS)
def test_weights_begin_as_those_of_keras(name):
    """Glorot's for the input (their spread), orthogonal ones for the state."""
    cell = CELLS[name](64)
    cell.build((None, 32))
    keras_cell = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "simple": keras.layers.SimpleRNNCell}
    theirs = keras_cell[name](64)
    theirs.build((None, 32))
    kernel, recurrent = cell.input_projection.product.kernel, cell.state_projection.product.kernel
    np.testing.assert_allclose(tf.math.reduce_std(kernel), tf.math.reduce_std(theirs.kernel), rtol=0.1)
    np.testing.assert_allclose(recurrent @ tf.transpose(recurrent), np.eye(64), atol=1e-5)
