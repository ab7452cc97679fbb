"""How far back a loss reaches: the gradient of a loss at the last step by the states of each step before it.

Bengio et al. (1994) and Pascanu et al. (2013, eq. 3 to 5): dL/dh_t = dL/dh_T * product of dh_k/dh_(k-1), k = t+1 to T,
which vanishes or explodes with T - t. The gradients of weights, sums over t, do not show it.

B: batch, T: time, D: input width, H: hidden width.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def gradient_norms(
    cells: Sequence[keras.layers.Layer], inputs: tf.Tensor, loss: Callable[[tf.Tensor], tf.Tensor]
) -> list[np.ndarray]:
    """Runs cells one over the other, step by step, and takes the gradient of the loss by the states of each step.

    All that a cell hands to the next step is one state here: for an LSTM dL/d(h_t, c_t), since what the loss knows of
    the past may come by either. The gradient by h_t takes in the paths through all later steps, and through the layers
    above at the same step.

    Args:
        cells: built cells of Keras, the lowest first, each of one direction; `cells_of` takes them from a stack.
        inputs: float (B, T, D), without padding.
        loss: from h_T of the top cell, (B, H), to a scalar.

    Returns:
        for each cell the norm over the batch, the states and their units, float32 (T,): at [t] that of step t + 1.
    """
    states_of_steps: list[list[Any]] = [[] for _ in cells]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        states = [_zeros(cell, inputs) for cell in cells]
        hidden = inputs
        for step in range(inputs.shape[1]):
            hidden = inputs[:, step]
            for index, cell in enumerate(cells):
                _, following = cell(hidden, states[index])
                # A copy is handed on and watched: that h_t is made of c_t is no path from one step to the next.
                states[index] = [tf.identity(state) for state in tf.nest.flatten(following)]
                for state in states[index]:
                    tape.watch(state)
                states_of_steps[index].append(states[index])
                hidden = states[index][0]
        value = loss(hidden)
    gradients = tape.gradient(value, states_of_steps, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [np.array([float(tf.linalg.global_norm(step)) for step in steps], np.float32) for steps in gradients]


def cells_of(stack: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The cells of a `RecurrentStack` of one direction, the lowest first.

    Raises:
        ValueError: it reads from both ends, so that no step is the last one for all.
    """
    if stack.bidirectional:
        raise ValueError("The gradient by time step is of a stack of one direction. Received: bidirectional=True.")
    return [layer.cell for layer in stack.layers]


def _zeros(cell: keras.layers.Layer, inputs: tf.Tensor) -> list[tf.Tensor]:
    return [tf.convert_to_tensor(state) for state in cell.get_initial_state(batch_size=inputs.shape[0])]
