"""One choice: noise at even distances draws a distribution exactly, so every rule can be read off."""

import numpy as np
import pytest
import tensorflow as tf

from models.decoding.choice import choose

DRAWS = 2000
# By hand: 0.4, 0.3, 0.2, 0.1, out of order.
SHARES = np.array([0.2, 0.4, 0.1, 0.3])


def drawn(logits: np.ndarray, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None):
    """Share of each value among many draws, float (V,)."""
    noise = (np.arange(DRAWS) + 0.5) / DRAWS
    chosen = choose(
        tf.constant(np.tile(logits, (DRAWS, 1)), tf.float32),
        tf.constant(noise, tf.float32),
        tf.fill([DRAWS], temperature),
        None if top_k is None else tf.fill([DRAWS], top_k),
        None if top_p is None else tf.fill([DRAWS], top_p),
    )
    return np.bincount(chosen.numpy(), minlength=len(logits)) / DRAWS


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def assert_shares(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, atol=2 / DRAWS)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_divides_the_logits(temperature):
    logits = np.random.default_rng(1).normal(size=9) * 2
    assert_shares(drawn(logits, temperature), softmax(logits / temperature))


def test_no_temperature_takes_the_most_probable():
    assert_shares(drawn(np.log(SHARES), 0.0), [0, 1, 0, 0])


@pytest.mark.parametrize(
    ("top_k", "shares"),
    [
        (0, SHARES),
        (1, [0, 1, 0, 0]),
        (2, [0, 4 / 7, 0, 3 / 7]),
        (3, [2 / 9, 4 / 9, 0, 3 / 9]),
        (4, SHARES),
        (9, SHARES),
    ],
)
def test_top_k_keeps_the_k_most_probable(top_k, shares):
    assert_shares(drawn(np.log(SHARES), top_k=top_k), shares)


@pytest.mark.parametrize(
    ("top_p", "shares"),
    [
        (0.0, [0, 1, 0, 0]),
        (0.39, [0, 1, 0, 0]),
        (0.41, [0, 4 / 7, 0, 3 / 7]),
        (0.69, [0, 4 / 7, 0, 3 / 7]),
        (0.71, [2 / 9, 4 / 9, 0, 3 / 9]),
        (0.91, SHARES),
        (1.0, SHARES),
    ],
)
def test_top_p_keeps_the_fewest_that_reach_p(top_p, shares):
    assert_shares(drawn(np.log(SHARES), top_p=top_p), shares)


@pytest.mark.parametrize("temperature", [0.5, 1.5])
@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (5, 1.0), (0, 0.8), (6, 0.7)])
def test_filters_are_those_of_their_equations(temperature, top_k, top_p):
    logits = np.random.default_rng(2).normal(size=12) * 2
    best_first = np.argsort(-logits)
    of_k = best_first[: top_k or None]
    reached = np.cumsum(softmax(logits[of_k] / temperature))
    nucleus = of_k[: 1 + np.searchsorted(reached, top_p)]
    expected = np.zeros(12)
    expected[nucleus] = softmax(logits[nucleus] / temperature)
    assert_shares(drawn(logits, temperature, top_k, top_p), expected)


def test_the_nucleus_is_that_of_the_k():
    """Of the two best the first alone has 4 / 7, which reaches 0.5; of all it has 0.4, which does not."""
    assert_shares(drawn(np.log(SHARES), top_k=2, top_p=0.5), [0, 1, 0, 0])
    assert_shares(drawn(np.log(SHARES), top_k=0, top_p=0.5), [0, 4 / 7, 0, 3 / 7])


def test_of_equals_the_first_ones_are_kept():
    assert_shares(drawn(np.zeros(4), top_k=2), [0.5, 0.5, 0, 0])


def test_a_row_is_filtered_as_it_asks_whatever_its_mates_do():
    rng = np.random.default_rng(3)
    logits = tf.constant(rng.normal(size=(64, 30)), tf.float32)
    noise, temperature = tf.constant(rng.uniform(size=64), tf.float32), tf.ones([64])
    unfiltered = choose(logits, noise, temperature).numpy()
    odd = np.arange(64) % 2 == 1
    mixed = choose(logits, noise, temperature, tf.constant(np.where(odd, 1, 0), tf.int32), tf.ones([64])).numpy()
    np.testing.assert_equal(mixed[~odd], unfiltered[~odd])
    np.testing.assert_equal(mixed[odd], np.argmax(logits, axis=1)[odd])


def test_a_row_without_filter_may_draw_what_is_next_to_impossible():
    """The others' sum has reached 1 without the first token's 1e-9, and still the noise of 0 is its own."""
    rows = tf.ones([2])
    logits = tf.math.log(tf.constant([[1e-9, 0.5, 0.5]] * 2))
    assert choose(logits, 0 * rows, rows, tf.constant([0, 2]), rows).numpy().tolist() == [0, 1]


@pytest.mark.parametrize("noise", [0.0, np.nextafter(np.float32(1), np.float32(0))])
def test_the_ends_of_the_noise_draw_nothing_that_is_filtered_out(noise):
    """Sums of float32 end a little below or above 1; most probable is what is neither first nor last."""
    logits = np.random.default_rng(4).normal(size=(500, 40)).astype("float32")
    logits[:, [0, -1]] = -5
    rows = tf.ones([500])
    chosen = choose(tf.constant(logits), noise * rows, rows, tf.cast(20 * rows, tf.int32), rows).numpy()
    ranks = (logits > logits[np.arange(500), chosen, np.newaxis]).sum(axis=1)
    assert ranks.max() < 20
