"""The optimizers that touch only the rows of a step, beside a plain reading of the papers' equations."""

from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.adagrad import GuardedAdagrad
from models.guarded_optimizers import GuardedAdam
from models.lazy_adam import GuardedLazyAdam
from models.optimizers import OPTIMIZERS as BY_NAME
from models.training_settings import TrainingSettings

RATE, BETA_1, BETA_2, ADAM_EPSILON, ADAGRAD_EPSILON = 0.1, 0.9, 0.999, 1e-7, 1e-10
ROWS, WIDTH = 6, 2
# Rows of each step; some stand in it twice, some in none.
STEPS = [[1, 4, 1], [0, 4], [2, 2, 2], [4, 1, 0, 4]]


def gradients(seed: int = 0) -> list[tuple[np.ndarray, list[int]]]:
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(len(rows), WIDTH)).astype("float32"), rows) for rows in STEPS]


def table() -> keras.Variable:
    return keras.Variable(np.random.default_rng(1).normal(size=(ROWS, WIDTH)).astype("float32"))


def whole(values: np.ndarray, rows: list[int]) -> np.ndarray:
    """The gradient of the whole table, in which slices of the same row add up."""
    summed = np.zeros((ROWS, WIDTH))
    for row, value in zip(rows, values, strict=True):
        summed[row] += value
    return summed


def clipped(gradient: np.ndarray, clip_norm: float | None) -> np.ndarray:
    norm = (gradient**2).sum() ** 0.5
    return gradient * (clip_norm / norm if clip_norm and norm > clip_norm else 1.0)


def adagrad(weights: np.ndarray, clip_norm: float | None) -> np.ndarray:
    """Duchi et al. (2011), figure 1: s is the norm of all gradients of a number so far, H = delta + s."""
    history: list[np.ndarray] = []
    for values, rows in gradients():
        history.append(clipped(whole(values, rows), clip_norm))
        s = np.sqrt(sum(gradient**2 for gradient in history))
        weights = weights - RATE * history[-1] / (ADAGRAD_EPSILON + s)
    return weights


def lazy_adam(weights: np.ndarray, clip_norm: float | None) -> np.ndarray:
    """Kingma and Ba (2015), algorithm 1, for each row that has slices; epsilon before the correction (section 2)."""
    weights = weights.copy()
    first, second = np.zeros((ROWS, WIDTH)), np.zeros((ROWS, WIDTH))
    for step, (values, rows) in enumerate(gradients(), start=1):
        gradient = clipped(whole(values, rows), clip_norm)
        for row in set(rows):
            first[row] = BETA_1 * first[row] + (1 - BETA_1) * gradient[row]
            second[row] = BETA_2 * second[row] + (1 - BETA_2) * gradient[row] ** 2
            mean, spread = first[row] / (1 - BETA_1**step), second[row] / (1 - BETA_2**step)
            weights[row] -= RATE * mean / (np.sqrt(spread) + ADAM_EPSILON / np.sqrt(1 - BETA_2**step))
    return weights


OPTIMIZERS = {"adagrad": (GuardedAdagrad, adagrad), "lazy_adam": (GuardedLazyAdam, lazy_adam)}


@pytest.fixture(params=OPTIMIZERS)
def named(request):
    return OPTIMIZERS[request.param]


def take(optimizer, weights, gradient, loss: float = 1.0) -> None:
    optimizer.scale_loss(tf.constant(loss))
    optimizer.apply([gradient], [weights])


def slices(values: np.ndarray, rows: list[int]) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values), tf.constant(rows), tf.constant([ROWS, WIDTH]))


@pytest.mark.parametrize("clip_norm", [None, 1.5])
def test_the_steps_of_slices_are_those_of_the_papers(named, clip_norm):
    made, by_hand = named
    weights, optimizer = table(), made(RATE, clip_norm, True)
    wanted = by_hand(weights.numpy().astype(np.float64), clip_norm)
    for values, rows in gradients():
        take(optimizer, weights, slices(values, rows))
    np.testing.assert_allclose(weights.numpy(), wanted, rtol=2e-5, atol=2e-5)
    norms = [(whole(values, rows) ** 2).sum() ** 0.5 for values, rows in gradients()]
    np.testing.assert_allclose(optimizer.recent.numpy()[: len(norms), 1], norms, rtol=1e-5)


@pytest.mark.parametrize(("made", "same"), [(GuardedAdagrad, GuardedAdagrad), (GuardedLazyAdam, GuardedAdam)])
def test_a_tensor_makes_the_step_of_the_whole_table(made, same):
    """Adagrad by rows is Adagrad, and Adam by rows is Adam where all rows have gradients."""
    one, other = table(), table()
    by_rows, dense = made(RATE, None, True), same(RATE, None, True)
    every = list(range(ROWS))
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=(ROWS, WIDTH)).astype("float32")
        take(by_rows, one, slices(values, every))
        take(dense, other, tf.constant(values))
    np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


def test_adagrad_leaves_out_only_rows_that_would_not_move():
    one, other = table(), table()
    by_rows, dense = GuardedAdagrad(RATE, 1.0, True), GuardedAdagrad(RATE, 1.0, True)
    for values, rows in gradients():
        take(by_rows, one, slices(values, rows))
        take(dense, other, tf.constant(whole(values, rows), tf.float32))
    np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


BAD = [(np.nan, 1.0), (1.0, np.nan), (1.0, np.inf), (1.0, 1e25), (1e9, 1.0)]


@pytest.mark.parametrize(("loss", "factor"), BAD)
@pytest.mark.parametrize("halts", [True, False])
def test_a_step_that_is_not_sound_changes_nothing(named, loss, factor, halts):
    weights, optimizer = table(), named[0](RATE, 1.0, halts)
    values, rows = gradients()[0]
    take(optimizer, weights, slices(values, rows), 2.0)
    counters = {"iteration", "recent", "unsound", "divergences", "halted"}
    kept = [variable for variable in [weights, *optimizer.variables] if variable.name not in counters]
    before = [variable.numpy() for variable in kept]
    take(optimizer, weights, slices(values * np.float32(factor), rows), loss)
    for variable, value in zip(kept, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    assert int(optimizer.divergences.numpy()) == 1
    take(optimizer, weights, slices(values, rows), 1.0)
    assert np.array_equal(weights.numpy(), before[0]) == halts


def test_each_optimizer_of_the_settings_has_a_class():
    assert get_args(TrainingSettings.model_fields["optimizer"].annotation) == tuple(BY_NAME)
