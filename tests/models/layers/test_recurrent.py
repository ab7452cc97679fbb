import numpy as np
import pytest

from models.layers.recurrent import RecurrentStack

PADDED = 3


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_padding_and_batch_mates_change_nothing(cell, bidirectional):
    rng = np.random.default_rng(0)
    stack = RecurrentStack(cell, 4, 2, bidirectional, residual=True)
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


def test_shapes_of_outputs_and_states():
    outputs, states = RecurrentStack("lstm", 3, 2)(np.zeros((2, 5, 4), "float32"), np.ones((2, 5), bool))
    assert outputs.shape == (2, 5, 6)
    assert [[state.shape for state in layer] for layer in states] == [[(2, 6), (2, 6)]] * 2


def test_row_without_any_token_gives_numbers():
    outputs, _ = RecurrentStack("lstm", 3, 1)(np.zeros((1, 4, 2), "float32"), np.zeros((1, 4), bool))
    assert np.isfinite(outputs).all()
