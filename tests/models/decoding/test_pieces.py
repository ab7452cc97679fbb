"""Pieces against one step after the other, on a small recurrent network whose carry has time first."""

import numpy as np
import pytest
import tensorflow as tf

from models.decoding import pieces as module
from models.decoding.noise import PIECE, uniform_noise
from models.decoding.pieces import Pieces

VALUES, WIDTH = 7, 5

_rng = np.random.default_rng(21)
EMBEDDING = _rng.normal(size=(VALUES, WIDTH)).astype("float32")
RECURRENT = (_rng.normal(size=(WIDTH, WIDTH)) / 4).astype("float32")
OUTPUT = _rng.normal(size=(WIDTH, VALUES)).astype("float32")


class Network(tf.Module):
    """Remembers its last two hidden states in a ring, (N, 2, WIDTH); the carry has them as (2, N, WIDTH)."""

    def __init__(self):
        super().__init__()
        self.recurrent = tf.Variable(RECURRENT)
        self.traced = 0

    def start(self, rows: int) -> dict[str, tf.Tensor]:
        return {"ring": tf.zeros([rows, 2, WIDTH]), "time": tf.zeros([rows], tf.int32)}

    def enter(self, cache):
        return {"ring": tf.transpose(cache["ring"], [1, 0, 2]), "time": cache["time"][0]}

    def leave(self, carry):
        ring = tf.transpose(carry["ring"], [1, 0, 2])
        return {"ring": ring, "time": tf.fill([tf.shape(ring)[0]], carry["time"])}

    def make_next_token(self, conditions):
        self.traced += 1
        conditions, recurrent = tf.transpose(conditions, [1, 0, 2]), tf.convert_to_tensor(self.recurrent)

        def next_token(token_ids, carry):
            ring, time = carry["ring"], carry["time"]
            condition = conditions[time % tf.shape(conditions)[0]]
            place = time % 2
            hidden = tf.tanh(tf.gather(tf.constant(EMBEDDING), token_ids) + ring[place] @ recurrent + condition)
            ring = tf.tensor_scatter_nd_update(ring, [[place]], hidden[tf.newaxis])
            return hidden @ tf.constant(OUTPUT), {"ring": ring, "time": time + 1}

        return next_token


def draw(pieces: Pieces, network: Network, length: int, temperature, seed, conditions) -> np.ndarray:
    rows = len(seed)
    function = tf.function(
        lambda length, conditions: pieces.draw(
            tf.fill([rows], 3),
            network.start(rows),
            tf.constant(temperature, tf.float32),
            tf.constant(seed),
            length,
            conditions,
        ),
    )
    return function(tf.constant(length), tf.constant(conditions)).numpy()


def pieces_of(network: Network) -> Pieces:
    return Pieces(network.make_next_token, network.enter, network.leave)


def one_by_one(length: int, temperature: list[float], seed: list[int], conditions: np.ndarray) -> np.ndarray:
    """A plain reading: the hidden state of two steps ago, the condition of this step, the inverted distribution."""
    noise = np.concatenate([uniform_noise(tf.constant(seed), piece).numpy() for piece in range(-(-length // PIECE))])
    last, hiddens, drawn = np.full(len(seed), 3), [np.zeros((len(seed), WIDTH))] * 2, []
    for time in range(length):
        if conditions.shape[1] == 1:
            condition = conditions[:, 0]
        else:
            condition = conditions[:, time] if time < conditions.shape[1] else 0
        hiddens.append(np.tanh(EMBEDDING[last] + hiddens[-2] @ RECURRENT + condition))
        scaled = (hiddens[-1] @ OUTPUT) / np.maximum(temperature, 1e-4)[:, np.newaxis]
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        reached = np.cumsum(powers / powers.sum(axis=1, keepdims=True), axis=1)
        last = (reached <= noise[time][:, np.newaxis]).sum(axis=1)
        drawn.append(last)
    return np.stack(drawn, axis=1)


def conditions_of(rows: int, length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(size=(rows, length, WIDTH)).astype("float32")


TEMPERATURES, SEEDS = [1.0, 0.0, 0.5], [5, 6, 7]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    ("length", "steered"), [(1, 1), (PIECE, 1), (PIECE + 20, 1), (2 * PIECE + 3, 1023), (PIECE + 20, 507), (30, 700)]
)
def test_pieces_are_the_same_as_one_by_one(monkeypatch, compiled, length, steered):
    """Steered all along by one condition, by one for each step, fewer than there are elements or more."""
    monkeypatch.setattr(module, "is_xla_available", lambda: tf.constant(compiled))
    network, conditions = Network(), conditions_of(3, steered)
    found = draw(pieces_of(network), network, length, TEMPERATURES, SEEDS, conditions)
    assert found.shape == (3, length)
    np.testing.assert_equal(found, one_by_one(length, TEMPERATURES, SEEDS, conditions))


@pytest.mark.parametrize("row", range(3))
def test_a_row_alone_is_drawn_as_in_company(row):
    network, conditions = Network(), conditions_of(3, 1)
    together = draw(pieces_of(network), network, 600, TEMPERATURES, SEEDS, conditions)
    alone = slice(row, row + 1)
    own = draw(pieces_of(network), network, 40, TEMPERATURES[alone], SEEDS[alone], conditions[alone])
    np.testing.assert_equal(own[0], together[row, :40])


def test_a_decoder_is_traced_once_for_all_lengths():
    network = Network()
    pieces = pieces_of(network)
    function = tf.function(
        lambda seed, length: pieces.draw(
            seed,
            network.start(tf.shape(seed)[0]),
            tf.ones(tf.shape(seed)),
            seed,
            length,
            tf.zeros([tf.shape(seed)[0], 1, WIDTH]),
        ),
        input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)],
    )
    for rows, length in [(1, 3), (3, 700), (4, 20)]:
        assert function(tf.range(rows), length).shape == (rows, length)
    # Compiled and plain.
    assert network.traced == 2


def test_weights_are_read_anew_by_each_call():
    network = Network()
    pieces = pieces_of(network)
    before = draw(pieces, network, 50, [1.0], [1], conditions_of(1, 1))
    network.recurrent.assign(-4 * network.recurrent)
    assert (draw(pieces, network, 50, [1.0], [1], conditions_of(1, 1)) != before).any()


@pytest.mark.parametrize(("rows", "asked"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8)])
def test_rows_are_rounded_up_to_a_power_of_two(rows, asked):
    """A decoder that draws the number of rows that it is asked with."""

    def make_next_token(conditions):
        return lambda token_ids, cache: (tf.one_hot(tf.fill([tf.size(token_ids)], tf.size(token_ids)), 9) * 99, cache)

    drawn = Pieces(make_next_token).draw(
        tf.zeros([rows], tf.int32), tf.zeros([rows, 1]), tf.ones([rows]), tf.range(rows), tf.constant(2)
    )
    np.testing.assert_equal(drawn.numpy(), np.full((rows, 2), asked))


def test_a_piece_is_compiled_where_it_can_be(monkeypatch):
    """XLA refuses strings, so a step that uses one tells whether it was compiled."""

    def make_next_token(conditions):
        def next_token(token_ids, cache):
            return tf.one_hot(tf.strings.length(tf.strings.as_string(token_ids)), 9) * 99, cache

        return next_token

    def drawn():
        one = tf.ones([1], tf.int32)
        return Pieces(make_next_token).draw(100 * one, tf.zeros([1, 1]), tf.ones([1]), one, tf.constant(2)).numpy()

    with pytest.raises(tf.errors.InvalidArgumentError, match="(?i)xla"):
        drawn()
    monkeypatch.setattr(module, "is_xla_available", lambda: tf.constant(False))
    assert drawn().tolist() == [[3, 1]]
