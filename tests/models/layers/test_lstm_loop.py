"""Outputs, states and gradients of the loop beside those that TensorFlow finds of the cell, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers.cells import LstmCell
from models.layers.lstm_loop import lstm_loop

N, T, H = 3, 5, 4


def step_by_step(below, kernel, h, c, real):
    cell, outputs = LstmCell(H), []
    for time in range(T):
        found = cell.meet(below[:, time], h @ kernel, [h, c])
        is_real = tf.constant(True) if real is None else real[:, time, tf.newaxis]
        h, c = (tf.where(is_real, new, old) for new, old in zip(found, (h, c), strict=True))
        outputs.append(h)
    return tf.stack(outputs, 1), h, c


@pytest.mark.parametrize("lengths", [None, (5, 2, 0)])
@pytest.mark.parametrize("in_graph", [False, True])
def test_values_and_gradients_are_those_of_the_cell(lengths, in_graph):
    rng = np.random.default_rng(0)
    shapes = (N, T, 4 * H), (H, 4 * H), (N, H), (N, H)
    given = [tf.constant(rng.normal(size=shape).astype("float32")) for shape in shapes]
    weights = [tf.constant(rng.normal(size=shape).astype("float32")) for shape in ((N, T, H), (N, H), (N, H))]
    real = None if lengths is None else tf.sequence_mask(lengths, T)

    def both(run):
        def found(*given):
            with tf.GradientTape() as tape:
                tape.watch(given)
                values = run(*given, real)
                summed = tf.add_n([tf.reduce_sum(one * by) for one, by in zip(values, weights, strict=True)])
            return [*values, *tape.gradient(summed, given)]

        # The number of rows and of steps is not known in a graph of the product.
        unknown = [tf.TensorSpec([None, None, 4 * H]), tf.TensorSpec([H, 4 * H]), *[tf.TensorSpec([None, H])] * 2]
        return (tf.function(found, input_signature=unknown) if in_graph and run is lstm_loop else found)(*given)

    for found, wanted in zip(both(lstm_loop), both(step_by_step), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
