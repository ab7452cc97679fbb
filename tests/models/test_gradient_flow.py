"""The gradient by time step beside the papers' equations, number by number in float64."""

import numpy as np
import pytest
import tensorflow as tf

from models.gradient_flow import cells_of, gradient_norms
from models.layers.recurrent import RecurrentStack

BATCH, TIME, WIDTH, HIDDEN = 2, 6, 3, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def simple(x, states, w, u, b):
    """Elman (1990): h' = tanh(x W + h U + b)."""
    (h,) = states
    return [np.tanh(x @ w + h @ u + b)]


def lstm(x, states, w, u, b):
    """Hochreiter and Schmidhuber (1997) with forget gate (Gers et al., 2000); Keras keeps i, f, g, o side by side."""
    h, c = states
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru(x, states, w, u, b):
    """Cho et al. (2014) with the reset gate behind the product; Keras keeps z, r, candidate side by side."""
    (h,) = states
    xz, xr, xc = np.split(x @ w + b[0], 3, axis=-1)
    hz, hr, hc = np.split(h @ u + b[1], 3, axis=-1)
    z = sigmoid(xz + hz)
    return [z * h + (1 - z) * np.tanh(xc + sigmoid(xr + hr) * hc)]


CELLS = {"simple": simple, "lstm": lstm, "gru": gru}


def loss_from(cell, weights, inputs, states_at, start, target):
    """The loss where the states after `start` steps are given for each layer."""
    states = [list(of_layer) for of_layer in states_at]
    for step in range(start, TIME):
        x = inputs[:, step]
        for layer, of_layer in enumerate(weights):
            states[layer] = cell(x, states[layer], *of_layer)
            x = states[layer][0]
    return float(((states[-1][0] - target) ** 2).sum())


def norms_by_hand(cell, weights, inputs, target, num_states):
    """Central differences of the loss by each number of each state after each step.

    A state that a layer hands on is also read by the layer above in the same step.
    """
    zeros = [[np.zeros((BATCH, HIDDEN)) for _ in range(num_states)] for _ in weights]
    norms = np.zeros((len(weights), TIME))
    states = zeros
    for step in range(TIME):
        x, after = inputs[:, step], []
        for layer, of_layer in enumerate(weights):
            after.append(cell(x, states[layer], *of_layer))
            x = after[layer][0]

        def changed(layer, which, place, by, states=states, after=after, step=step):
            moved = [[state.copy() for state in of_layer] for of_layer in after]
            moved[layer][which][place] += by
            x = moved[layer][0]
            for above in range(layer + 1, len(weights)):
                moved[above] = cell(x, states[above], *weights[above])
                x = moved[above][0]
            return loss_from(cell, weights, inputs, moved, step + 1, target)

        for layer in range(len(weights)):
            total = 0.0
            for which in range(num_states):
                for place in np.ndindex(BATCH, HIDDEN):
                    slope = (changed(layer, which, place, 1e-5) - changed(layer, which, place, -1e-5)) / 2e-5
                    total += slope**2
            norms[layer, step] = total**0.5
        states = after
    return norms


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("name", CELLS)
def test_norms_are_those_of_the_equations(name, num_layers):
    rng = np.random.default_rng(5)
    stack = RecurrentStack(name, HIDDEN, num_layers, bidirectional=False)
    stack.build((None, None, WIDTH))
    for weight in stack.trainable_variables:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    inputs, target = rng.normal(size=(BATCH, TIME, WIDTH)), rng.normal(size=(BATCH, HIDDEN))
    weights = [[np.asarray(weight, np.float64) for weight in cell.weights] for cell in cells_of(stack)]
    wanted = norms_by_hand(CELLS[name], weights, inputs, target, 2 if name == "lstm" else 1)
    found = gradient_norms(
        cells_of(stack),
        tf.constant(inputs, tf.float32),
        lambda last: tf.reduce_sum((last - tf.constant(target, tf.float32)) ** 2),
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_a_stack_of_both_directions_has_no_last_step():
    with pytest.raises(ValueError, match="one direction"):
        cells_of(RecurrentStack("gru", 2, 1, bidirectional=True))
