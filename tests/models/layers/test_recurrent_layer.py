"""A layer over padded sequences equals its cell, a step at a time over each row's real positions."""

import numpy as np
import pytest

from models.layers.cells import CELLS
from models.layers.masks import dropout_mask
from models.layers.recurrent_layer import RecurrentLayer, recurrent_layer
from tests.models.layers.equations import STEPS, keras_step, randomized, read, same_seed

D, H, T = 3, 4, 6
LENGTHS = (6, 3, 1)


def sequences(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.random.default_rng(seed).normal(size=(len(LENGTHS), T, D)).astype("float32")
    return vectors, np.arange(T) < np.array(LENGTHS)[:, np.newaxis]


def check(found, steps: list, num_states: int, vectors: np.ndarray) -> None:
    """Compares outputs and final states; `steps` holds for each row the step of each direction."""
    outputs, *final_states = (np.asarray(tensor) for tensor in found)
    for row, length in enumerate(LENGTHS):
        real = vectors[row, :length]
        for direction, step in enumerate(steps[row]):
            seen = list(read(step, real[::-1] if direction else real, H, num_states))
            here = outputs[row, :length, direction * H : (direction + 1) * H]
            expected = [states[0] for states in seen]
            np.testing.assert_allclose(here, expected[::-1] if direction else expected, atol=1e-5)
            ends = final_states[direction * num_states : (direction + 1) * num_states]
            np.testing.assert_allclose([state[row] for state in ends], seen[-1], atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_layer_of_keras_is_that_of_the_equations(cell, bidirectional, training):
    vectors, mask = sequences()
    layer = recurrent_layer(cell, H, bidirectional)
    assert not isinstance(layer, RecurrentLayer)
    layer.build(vectors.shape)
    randomized(layer, np.random.default_rng(1))
    directions = [layer.forward_layer, layer.backward_layer] if bidirectional else [layer]
    steps = [[lambda x, states, one=one: keras_step(one, x, states) for one in directions]] * len(LENGTHS)
    check(layer(vectors, mask=mask, training=training), steps, len(CELLS[cell].states), vectors)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layer_normalization", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_our_layer_is_that_of_the_equations_with_one_mask_for_all_steps(cell, layer_normalization, bidirectional):
    vectors, mask = sequences()
    layer = recurrent_layer(cell, H, bidirectional, layer_normalization, recurrent_dropout=0.5)
    layer.build(vectors.shape)
    randomized(layer, np.random.default_rng(1))
    seed = same_seed(layer)
    drawn = [np.asarray(dropout_mask((len(LENGTHS), H), 0.5, seed, "float32")) for _ in layer.cells]
    steps = [
        [
            lambda x, states, one=one, mask=masks[row]: STEPS[cell](one, x, states, mask)
            for one, masks in zip(layer.cells, drawn, strict=True)
        ]
        for row in range(len(LENGTHS))
    ]
    check(layer(vectors, mask=mask, training=True), steps, len(CELLS[cell].states), vectors)


def test_nothing_is_dropped_outside_training():
    vectors, mask = sequences()
    layer = recurrent_layer("lstm", H, False, recurrent_dropout=0.5)
    np.testing.assert_array_equal(layer(vectors, mask=mask)[0], layer(vectors, mask=mask)[0])
    assert not np.array_equal(layer(vectors, mask=mask, training=True)[0], layer(vectors, mask=mask, training=True)[0])


def test_padding_repeats_the_output_before_it():
    vectors, mask = sequences()
    outputs, h, _ = recurrent_layer("lstm", H, False, layer_normalization=True)(vectors, mask=mask)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(outputs[row, length:], np.broadcast_to(h[row], (T - length, H)))
