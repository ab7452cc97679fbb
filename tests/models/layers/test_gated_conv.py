import numpy as np
import pytest

from models.layers.gated_conv import GatedConv, SqueezeExcitation

PASSING = {"tanh": np.tanh, "linear": lambda values: values}


def sigmoid(values):
    return 1 / (1 + np.exp(-np.asarray(values)))


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def randomized(layer, *inputs):
    """Builds a layer and gives it weights, biases too, that are not near zero."""
    layer(*inputs)
    layer.set_weights([random(*weight.shape, seed=number) for number, weight in enumerate(layer.get_weights(), 1)])
    return layer


@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize("condition", [None, [0.1, 1.0]])
def test_a_sequence_of_three_by_hand(activation, condition):
    layer = GatedConv(1, kernel_size=2, activation=activation)
    sequence = np.array([[[1.0], [2.0], [3.0]]], "float32")
    layer(sequence)
    # What passes: 0.1 past + 0.2 present + 0.05; the gate: present - 1.
    layer.set_weights([np.array([[[0.1, 0.0]], [[0.2, 1.0]]]), np.array([0.05, -1.0])])
    passing, gate = np.array([0.25, 0.55, 0.85]), np.array([0.0, 1.0, 2.0])
    added = None
    if condition:
        passing, gate = passing + condition[0], gate + condition[1]
        added = np.array([[condition]], "float32")
    expected = PASSING[activation](passing) * sigmoid(gate)
    np.testing.assert_allclose(layer(sequence, added)[0, :, 0], expected, atol=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "linear"])
@pytest.mark.parametrize("padding", ["causal", "same"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_equals_the_formula_in_numpy(activation, padding, dilation):
    sequence = random(2, 9, 3)
    layer = randomized(GatedConv(4, 3, dilation, padding, activation), sequence)
    kernel, bias = layer.get_weights()
    expected = np.zeros((2, 9, 8)) + bias
    for position in range(9):
        for index in range(3):
            seen = position + dilation * (index - (2 if padding == "causal" else 1))
            if 0 <= seen < 9:
                expected[:, position] += sequence[:, seen] @ kernel[index]
    passing, gate = expected[..., :4], expected[..., 4:]
    np.testing.assert_allclose(layer(sequence), PASSING[activation](passing) * sigmoid(gate), atol=1e-5)


@pytest.mark.parametrize(
    ("padding", "kernel_size", "dilation", "moved"),
    [
        ("causal", 1, 1, [0]),
        ("causal", 2, 1, [0, 1]),
        ("causal", 3, 1, [0, 1, 2]),
        ("causal", 3, 4, [0, 4, 8]),
        ("same", 1, 1, [0]),
        ("same", 3, 1, [-1, 0, 1]),
        ("same", 5, 1, [-2, -1, 0, 1, 2]),
        ("same", 3, 4, [-4, 0, 4]),
        # Of an even kernel the larger half looks ahead.
        ("same", 4, 1, [-2, -1, 0, 1]),
    ],
)
def test_a_position_moves_those_that_see_it_and_no_others(padding, kernel_size, dilation, moved):
    sequence = random(1, 21, 3)
    layer = randomized(GatedConv(4, kernel_size, dilation, padding), sequence)
    changed = sequence.copy()
    changed[0, 10] += 1
    difference = np.abs(layer(changed) - layer(sequence)).max(axis=-1)[0]
    assert (np.flatnonzero(difference > 1e-6) - 10).tolist() == moved


def test_each_half_has_the_channels_asked_for():
    layer = GatedConv(5, 3)
    assert layer(random(2, 7, 4)).shape == (2, 7, 5)
    assert layer.count_params() == 3 * 4 * 10 + 10


# === Squeeze and excitation ===


def test_channels_are_weighed_by_the_mean_of_the_real_positions():
    hidden_states, mask = random(2, 5, 6), np.array([[True] * 5, [True] * 3 + [False] * 2])
    layer = randomized(SqueezeExcitation(6, 2), hidden_states, mask)
    into, bias, out_of, other_bias = layer.get_weights()
    assert into.shape == (6, 3)
    mean = np.stack([hidden_states[0].mean(axis=0), hidden_states[1, :3].mean(axis=0)])
    weights = sigmoid(np.maximum(mean @ into + bias, 0) @ out_of + other_bias)
    np.testing.assert_allclose(layer(hidden_states, mask), hidden_states * weights[:, None], atol=1e-5)


def test_padding_and_batch_mates_weigh_nothing():
    alone, mate, padding = random(1, 4, 6), random(1, 7, 6, seed=8), 100 * random(1, 3, 6, seed=9)
    layer = randomized(SqueezeExcitation(6, 2), alone, np.ones((1, 4), bool))
    together = layer(
        np.concatenate([mate, np.concatenate([alone, padding], axis=1)]),
        np.array([[True] * 7, [True] * 4 + [False] * 3]),
    )
    np.testing.assert_allclose(together[1, :4], layer(alone, np.ones((1, 4), bool))[0], atol=1e-5)


def test_a_ratio_above_the_channels_leaves_one_unit():
    layer = SqueezeExcitation(4, 16)
    assert np.isfinite(layer(random(1, 3, 4), np.zeros((1, 3), bool))).all()
    assert layer.count_params() == (4 * 1 + 1) + (1 * 4 + 4)
