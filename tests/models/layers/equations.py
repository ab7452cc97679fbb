"""The equations of the papers read plainly: NumPy, a row and a step at a time, with the weights of a layer."""

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def dense(layer, x, activation: Callable = lambda x: x):
    kernel, *bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    return activation(x @ kernel + (bias[0] if bias else 0))


def normalized(layer, x):
    """Ba et al. (2016), eq. 3 and 4: gain g, bias b where there is one."""
    gain = np.asarray(layer.gamma)
    bias = np.asarray(layer.beta) if layer.center else 0
    mean = sum(x) / len(x)
    deviation = np.sqrt(sum((value - mean) ** 2 for value in x) / len(x) + 1e-5)
    return gain * (x - mean) / deviation + bias


def projected(projection, x):
    """W x + b; normalised, each part by itself: LN(W x)."""
    product = dense(projection.product, x)
    if not projection.normalizations:
        return product
    parts = np.split(product, np.cumsum(projection.parts)[:-1])
    return np.concatenate([normalized(*pair) for pair in zip(projection.normalizations, parts, strict=True)])


def simple_step(cell, x, states, mask=1.0):
    """Elman (1990): h' = tanh(W x + U h + b)."""
    summed = projected(cell.input_projection, x) + projected(cell.state_projection, states[0] * mask)
    return [np.tanh(normalized(cell.normalization, summed) if cell.layer_normalization else summed)]


def lstm_step(cell, x, states, mask=1.0):
    """Hochreiter and Schmidhuber (1997) with a forget gate (Gers et al., 2000)."""
    h, c = states
    i, f, g, o = np.split(projected(cell.input_projection, x) + projected(cell.state_projection, h * mask), 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(normalized(cell.normalization, c) if cell.layer_normalization else c), c]


def gru_step(cell, x, states, mask=1.0):
    """Cho et al. (2014), eq. 5 to 8, the reset gate applied to the product, as cuDNN has it."""
    [h] = states
    z, r, g = np.split(projected(cell.input_projection, x), 3)
    z_before, r_before, g_before = np.split(projected(cell.state_projection, h * mask), 3)
    z = sigmoid(z + z_before)
    return [z * h + (1 - z) * np.tanh(g + sigmoid(r + r_before) * g_before)]


STEPS = {"simple": simple_step, "lstm": lstm_step, "gru": gru_step}


def keras_step(layer, x, states):
    """The same by the weights of a Keras layer: the order of its gates is ours; a GRU has two rows of biases."""
    kernel, recurrent, bias = (np.asarray(weight, np.float64) for weight in layer.get_weights())
    before = states[0] @ recurrent
    below = x @ kernel + (bias if bias.ndim == 1 else bias[0])
    if bias.ndim == 2:
        before = before + bias[1]
        [z, r, g], [z_before, r_before, g_before] = np.split(below, 3), np.split(before, 3)
        z = sigmoid(z + z_before)
        return [z * states[0] + (1 - z) * np.tanh(g + sigmoid(r + r_before) * g_before)]
    if len(states) == 1:
        return [np.tanh(below + before)]
    i, f, g, o = np.split(below + before, 4)
    c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def read(step: Callable, sequence, width: int, num_states: int) -> Iterator[list[np.ndarray]]:
    """The states after each step over a sequence without padding, from zeros."""
    states = [np.zeros(width)] * num_states
    for x in sequence:
        states = step(x, states)
        yield states


def connected(connection: str, layer: Any, below: list[np.ndarray], found: Callable) -> np.ndarray:
    """What a layer gives over those below it, x first: He et al., Srivastava et al., Huang et al., or nothing."""
    if connection == "dense":
        return found(np.concatenate(below, -1))
    if connection == "highway":
        t = dense(layer.gate, below[-1], sigmoid)
        return t * found(below[-1]) + (1 - t) * below[-1]
    return found(below[-1]) + (below[-1] if connection == "residual" else 0)


def randomized(layer, rng: np.random.Generator) -> None:
    """Other weights than those of a fresh layer, under which a bias or a gain would not be seen."""
    layer.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in layer.get_weights()])


def same_seed(layer) -> keras.random.SeedGenerator:
    """A seed that draws the numbers that the layer will draw."""
    seed = keras.random.SeedGenerator(0)
    seed.state.assign(layer.seed_generator.state)
    return seed
