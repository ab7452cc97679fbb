"""The optimizers beside a plain reading of the papers' equations, and what they do with a step that is no number."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.guarded_optimizers import BLOCK, EXPLODED, GuardedAdam, GuardedAdamW

RATE, BETA_1, BETA_2, EPSILON = 0.1, 0.9, 0.999, 1e-7


def by_hand(weights, gradients, clip_norm, decay):
    """Adam (Kingma and Ba, 2015, algorithm 1), AdamW (Loshchilov and Hutter, 2019, algorithm 2), clipping (Pascanu et
    al., 2013, algorithm 1), number by number."""
    weights = [weight.astype(np.float64) for weight in weights]
    first = [np.zeros_like(weight) for weight in weights]
    second = [np.zeros_like(weight) for weight in weights]
    norms = []
    for step, of_step in enumerate(gradients, start=1):
        norm = sum(float(number) ** 2 for gradient in of_step for number in gradient.ravel()) ** 0.5
        norms.append(norm)
        factor = clip_norm / norm if clip_norm and norm > clip_norm else 1.0
        for index, gradient in enumerate(of_step):
            scaled = gradient.astype(np.float64) * factor
            first[index] = BETA_1 * first[index] + (1 - BETA_1) * scaled
            second[index] = BETA_2 * second[index] + (1 - BETA_2) * scaled**2
            mean, spread = first[index] / (1 - BETA_1**step), second[index] / (1 - BETA_2**step)
            # Keras, as the paper's section 2 has it, puts epsilon beside the second moment before its correction.
            root = np.sqrt(spread) + EPSILON / np.sqrt(1 - BETA_2**step)
            weights[index] = weights[index] * (1 - RATE * decay) - RATE * mean / root
    return weights, norms


def variables(rng):
    return [keras.Variable(rng.normal(size=shape).astype("float32")) for shape in ((3, 2), (4,))]


def step(optimizer, weights, gradients, loss=1.0):
    optimizer.scale_loss(tf.constant(loss))
    optimizer.apply([tf.constant(gradient) for gradient in gradients], weights)


@pytest.mark.parametrize("clip_norm", [None, 1.5])
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_steps_are_those_of_the_papers(clip_norm, decay):
    rng = np.random.default_rng(0)
    weights = variables(rng)
    # Some below the bound, some beyond.
    gradients = [[rng.normal(0, size, weight.shape).astype("float32") for weight in weights] for size in (1, 0.1, 9, 2)]
    wanted, norms = by_hand([weight.numpy() for weight in weights], gradients, clip_norm, decay)
    optimizer = GuardedAdamW(RATE, clip_norm, True, weight_decay=decay) if decay else GuardedAdam(RATE, clip_norm, True)
    for index, of_step in enumerate(gradients):
        step(optimizer, weights, of_step, 1.0 + index)
    for weight, number in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(weight.numpy(), number, rtol=1e-5, atol=1e-5)
    recent = optimizer.recent.numpy()[:4]
    np.testing.assert_allclose(recent[:, 0], [1, 2, 3, 4])
    np.testing.assert_allclose(recent[:, 1], norms, rtol=1e-5)
    assert recent[:, 2].tolist() == [float(bool(clip_norm) and norm > 1.5) for norm in norms]
    np.testing.assert_allclose(recent[:, 3], RATE)


def test_the_mean_of_several_steps_is_clipped_and_applied_as_one():
    """The step that is no number takes with it what was accumulated before it."""
    rng = np.random.default_rng(4)
    weights = variables(rng)
    gradients = [[rng.normal(0, 3, weight.shape).astype("float32") for weight in weights] for _ in range(6)]
    means = [[np.mean(pair, axis=0) for pair in zip(*gradients[at : at + 2], strict=True)] for at in (0, 4)]
    wanted, _ = by_hand([weight.numpy() for weight in weights], means, 1.5, 0.0)
    optimizer = GuardedAdam(RATE, 1.5, False, gradient_accumulation_steps=2)
    seen = []
    for index, of_step in enumerate(gradients):
        step(optimizer, weights, of_step, np.nan if index == 3 else 1.0)
        seen.append(weights[0].numpy())
    for changed, before, behind in ((False, 0, 2), (False, 1, 3), (False, 3, 4), (True, 4, 5)):
        assert (seen[before] != seen[behind]).any() == (changed or behind == 2)
    assert int(optimizer.divergences.numpy()) == 1
    # Its bias corrections count the changes that there could have been, of which one was left out.
    assert not np.allclose(weights[0].numpy(), wanted[0])


def test_a_token_that_stands_twice_counts_as_the_sum_of_its_slices():
    table = keras.Variable(np.zeros((5, 2), "float32"))
    optimizer = GuardedAdam(RATE, 1.0, True)
    optimizer.scale_loss(tf.constant(1.0))
    slices = tf.IndexedSlices(tf.constant([[3.0, 0.0], [0.0, 4.0], [3.0, 0.0]]), tf.constant([1, 2, 1]), [5, 2])
    optimizer.apply([slices], [table])
    assert optimizer.recent.numpy()[0, 1] == pytest.approx((6**2 + 4**2) ** 0.5)


BAD = [
    ("a loss that is no number", np.nan, 1.0),
    ("a loss without end", np.inf, 1.0),
    ("a gradient that is no number", 1.0, np.nan),
    ("a gradient without end", 1.0, np.inf),
    ("a gradient whose square is beyond float32", 1.0, 1e25),
    ("a loss of 2e30", 2e30, 1.0),
    ("a loss just beyond the bound", 2.1 * EXPLODED, 1.0),
]


@pytest.mark.parametrize(("loss", "gradient"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
@pytest.mark.parametrize("halts", [True, False])
def test_a_step_that_is_not_sound_changes_nothing(loss, gradient, halts):
    weights = variables(np.random.default_rng(1))
    optimizer = GuardedAdamW(RATE, 1.0, halts, weight_decay=0.1)
    good = [np.ones(weight.shape, "float32") for weight in weights]
    step(optimizer, weights, good, 2.0)
    counters = {"iteration", "recent", "unsound", "divergences", "halted"}
    kept = [variable for variable in [*weights, *optimizer.variables] if variable.name not in counters]
    before = [variable.numpy() for variable in kept]
    step(optimizer, weights, [good[0], good[1] * np.float32(gradient)], loss)
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert (int(optimizer.divergences.numpy()), int(optimizer.iterations.numpy())) == (1, 2)
    assert optimizer.unsound.numpy()[4] == 1
    step(optimizer, weights, good, 1.0)
    assert np.array_equal(weights[0].numpy(), before[0]) == halts
    assert int(optimizer.divergences.numpy()) == 1


def test_a_loss_within_the_bound_is_taken():
    weights = variables(np.random.default_rng(1))
    optimizer = GuardedAdam(RATE, 1.0, True)
    good = [np.ones(weight.shape, "float32") for weight in weights]
    step(optimizer, weights, good, 2.0)
    step(optimizer, weights, good, 1.9 * EXPLODED)
    assert int(optimizer.divergences.numpy()) == 0


def test_the_figures_of_a_block_lie_by_their_step():
    weights = variables(np.random.default_rng(1))
    optimizer = GuardedAdam(RATE, None, True)
    for index in range(BLOCK + 3):
        step(optimizer, weights, [np.ones(weight.shape, "float32") for weight in weights], float(index + 1))
    expected = [*range(BLOCK + 1, BLOCK + 4), *range(4, BLOCK + 1)]
    assert optimizer.recent.numpy()[:, 0].tolist() == expected
