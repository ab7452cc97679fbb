import keras
import numpy as np
import pytest

from models.layers.cells import CELLS
from models.layers.connections import CONNECTIONS
from models.layers.recurrent import RecurrentStack
from tests.models.layers.equations import STEPS, connected, keras_step, randomized, read, same_seed

PADDED = 3
D, H, T = 3, 4, 5
LENGTHS = (5, 2)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
@pytest.mark.parametrize("settings", [{}, {"bidirectional": False}, {"layer_normalization": True}], ids=str)
def test_padding_and_batch_mates_change_nothing(cell, settings):
    rng = np.random.default_rng(0)
    stack = RecurrentStack(cell, 4, 2, connections="residual", **settings)
    one = rng.normal(size=(1, 5, 8)).astype("float32")
    alone, alone_states = stack(one, np.ones((1, 5), bool))
    mate = rng.normal(size=(1, 5 + PADDED, 8)).astype("float32")
    padded = np.concatenate([one, rng.normal(size=(1, PADDED, 8))], axis=1).astype("float32")
    mask = np.array([[True] * 5 + [False] * PADDED, [True] * (5 + PADDED)])
    together, states = stack(np.concatenate([padded, mate]), mask)
    np.testing.assert_allclose(together[0, :5], alone[0], atol=1e-5)
    for layer, alone_layer in zip(states, alone_states, strict=True):
        for state, alone_state in zip(layer, alone_layer, strict=True):
            np.testing.assert_allclose(state[0], alone_state[0], atol=1e-5)


@pytest.mark.parametrize("layer_normalization", [False, True])
def test_shapes_of_outputs_and_states(layer_normalization):
    stack = RecurrentStack("lstm", 3, 2, layer_normalization=layer_normalization)
    outputs, states = stack(np.zeros((2, 5, 4), "float32"), np.ones((2, 5), bool))
    assert outputs.shape == (2, 5, 6)
    assert [[state.shape for state in layer] for layer in states] == [[(2, 6), (2, 6)]] * 2
    assert stack.compute_output_shape((2, 5, 4)) == ((2, 5, 6), [[(2, 6), (2, 6)]] * 2)


@pytest.mark.parametrize("layer_normalization", [False, True])
def test_row_without_any_token_gives_numbers(layer_normalization):
    stack = RecurrentStack("lstm", 3, 1, layer_normalization=layer_normalization)
    outputs, _ = stack(np.zeros((1, 4, 2), "float32"), np.zeros((1, 4), bool))
    assert np.isfinite(outputs).all()


# === Beside the equations ===


def made(connections: str, **settings) -> tuple[RecurrentStack, np.ndarray, np.ndarray]:
    """A stack of three layers that read from one end, and padded sequences."""
    rng = np.random.default_rng(1)
    stack = RecurrentStack("gru", H, 3, False, connections, **settings)
    stack.build((None, T, D))
    randomized(stack, rng)
    vectors = rng.normal(size=(len(LENGTHS), T, D)).astype("float32")
    return stack, vectors, np.arange(T) < np.array(LENGTHS)[:, np.newaxis]


def equations(stack: RecurrentStack, connection: str, row: np.ndarray, step, masks=None) -> np.ndarray:
    """Outputs of the top layer over one row, (T, H); `masks` are of what each layer but the first reads."""

    def found(index: int, sequence: np.ndarray) -> np.ndarray:
        dropped = sequence * masks[index - 1] if masks and index else sequence
        states = read(lambda x, states: step(stack.layers[index], x, states), dropped, H, 1)
        return np.array([state[0] for state in states])

    below = [row, found(0, row)]
    for index, join in enumerate(stack.connections, start=1):
        below.append(connected(connection, join, below, lambda x, index=index: found(index, x)))
    return below[-1]


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_layers_are_joined_as_the_papers_say(connection):
    stack, vectors, mask = made(connection)
    outputs, _ = stack(vectors, mask)
    for row, length in enumerate(LENGTHS):
        expected = equations(stack, connection, vectors[row, :length], keras_step)
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)


@pytest.mark.parametrize("variational", [False, True])
def test_what_a_layer_reads_is_dropped_and_not_what_goes_past_it(variational):
    """Plain masks differ from step to step, variational ones do not; both are those that Keras would draw."""
    stack, vectors, mask = made("residual", dropout=0.5, variational_dropout=variational)
    shape = (len(LENGTHS), 1 if variational else T, H)
    drawn = [
        np.asarray(keras.random.dropout(np.ones(shape, "float32"), 0.5, seed=same_seed(layer)))
        for layer in stack.dropouts
    ]
    outputs, _ = stack(vectors, mask, training=True)
    for row, length in enumerate(LENGTHS):
        masks = [np.broadcast_to(layer, (len(LENGTHS), T, H))[row, :length] for layer in drawn]
        expected = equations(stack, "residual", vectors[row, :length], keras_step, masks)
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)


def test_normalised_cells_stand_in_a_stack_too():
    stack, vectors, mask = made("dense", layer_normalization=True)
    outputs, _ = stack(vectors, mask)
    step = lambda layer, x, states: STEPS["gru"](layer.cells[0], x, states)  # noqa: E731
    for row, length in enumerate(LENGTHS):
        expected = equations(stack, "dense", vectors[row, :length], step)
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-5)


def test_every_cell_has_its_states():
    for cell, kind in CELLS.items():
        _, states = RecurrentStack(cell, H, 2)(np.zeros((1, T, D), "float32"), np.ones((1, T), bool))
        assert [len(layer) for layer in states] == [len(kind.states)] * 2


# === Depth ===


def loss_after_training(connections: str) -> float:
    """Of the second half of a short training of eight layers that should tell the first of four bits at the end."""
    keras.utils.set_random_seed(1)
    bits = np.random.default_rng(0).integers(0, 2, (1536, 4))
    token_ids = keras.Input((4,), dtype="int32")
    vectors = keras.layers.Embedding(2, 16)(token_ids)
    stack = RecurrentStack("lstm", 16, 8, bidirectional=False, connections=connections)
    _, final_states = stack(vectors, keras.ops.ones_like(token_ids, dtype="bool"))
    model = keras.Model(token_ids, keras.layers.Dense(2)(final_states[-1][0]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.002, global_clipnorm=1.0), loss, jit_compile=False)
    return model.fit(bits, bits[:, 0], batch_size=64, epochs=2, verbose=0).history["loss"][-1]


def test_eight_residual_layers_train_where_eight_plain_ones_do_not():
    """He et al. (2016): the same seed, the same steps; a guess costs log 2, 0.69."""
    assert loss_after_training("none") > 0.65
    assert loss_after_training("residual") < 0.1
