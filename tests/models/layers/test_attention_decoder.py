"""Each step of the decoders equals a plain reading of the papers' equations, on random weights."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers.attention import ATTENTIONS
from models.layers.attention_decoder import AttentionDecoder
from models.layers.cell_stack import CellStack
from models.layers.cells import CELLS
from models.layers.connections import CONNECTIONS
from models.layers.gnmt_decoder import GnmtDecoder
from models.layers.masks import dropout_mask
from tests.models.layers.equations import STEPS, connected, dense, randomized, same_seed, sigmoid, softmax
from tests.models.layers.test_attention import SCORES

E, H, S, T = 3, 4, 5, 6
LENGTHS = (4, 5)  # positions of the sources that are no padding


def decoder_of(attention, input_feeding=True, num_layers=2, cell="lstm", **stack):
    return AttentionDecoder(attention, CellStack(cell, H, num_layers, **stack), input_feeding)


class Made:
    """A decoder with random weights, and what it reads."""

    def __init__(self, decoder, seed=1):
        rng = np.random.default_rng(seed)
        self.decoder, self.stack = decoder, decoder.stack
        decoder.build((None, None, E))
        shape = len(self.stack.cells), len(self.stack.cells[0].states), len(LENGTHS), H
        self.final_states = rng.normal(size=shape).astype("float32")
        self.start()  # makes the bridges
        randomized(decoder, rng)
        self.source = rng.normal(size=(len(LENGTHS), S, H)).astype("float32")
        self.mask = np.arange(S) < np.array(LENGTHS)[:, np.newaxis]
        self.vectors = rng.normal(size=(len(LENGTHS), T, E)).astype("float32")

    def start(self):
        return self.decoder.start(len(LENGTHS), T, [list(layer) for layer in self.final_states])

    def whole(self, training=False):
        memory = self.decoder.remember(tf.constant(self.source), tf.constant(self.mask))
        return self.decoder(tf.constant(self.vectors), self.start(), memory, training=training)

    def bridged(self, row):
        """Bahdanau et al. (2015, A.2.2): tanh(W h) for the hidden state; a cell state is read without a tanh."""
        return [
            [
                dense(bridge, state[row], np.tanh if index == 0 else lambda x: x)
                for index, (bridge, state) in enumerate(zip(bridges, layer, strict=True))
            ]
            for bridges, layer in zip(self.stack.bridges, self.final_states, strict=True)
        ]

    def look(self, score, squash, query, row):
        """Context and weights: eq. 5 and 6 of Bahdanau et al., or gates; padding gets 0."""
        real = self.source[row, : LENGTHS[row]]
        alpha = squash(np.array([score(self.decoder.scorer, query, h) for h in real]))
        return sum(a * h for a, h in zip(alpha, real, strict=True)), [*alpha, *[0] * (S - len(real))]


def stacked(made, connection, x, states, context=(), reads=None, dropped=None, first=1):
    """One step of all layers; changes `states`."""
    stack, below = made.stack, [x]
    for index, cell in enumerate(stack.cells):

        def found(read, index=index, cell=cell):
            read = np.concatenate([read, context])
            read = read * reads[index - 1] if reads and index else read
            mask = dropped[index] if dropped else 1.0
            states[index] = STEPS[type(cell).__name__.removesuffix("Cell").lower()](cell, read, states[index], mask)
            return states[index][0]

        kind = connection if index >= first else "none"
        below.append(connected(kind, stack.connections[index - 1] if index else None, below, found))
    return below[-1]


def check(made, one, training=False):
    """Compares each row's steps with `one`: (x, states, feed, row, time) to outputs and weights."""
    outputs, weights = made.whole(training)
    for row in range(len(LENGTHS)):
        states, feed = made.bridged(row), np.zeros(H)
        for time, x in enumerate(made.vectors[row]):
            feed, expected = one(x, states, feed, row, time)
            np.testing.assert_allclose(outputs[row, time], feed, atol=1e-5)
            np.testing.assert_allclose(weights[row, time], expected, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, kind in ATTENTIONS.items() if kind.asked == "before"])
def test_asked_before_the_step_with_the_last_state(name):
    """Bahdanau et al. (2015), A.2.2; gated: a sigmoid in place of the softmax."""
    made = Made(decoder_of(name))

    def one(x, states, feed, row, time):
        context, weights = made.look(SCORES[name], sigmoid if name == "gated" else softmax, states[-1][0], row)
        top = stacked(made, "none", np.concatenate([x, context]), states)
        return dense(made.decoder.combination, np.concatenate([top, context, x]), np.tanh), weights

    check(made, one)


@pytest.mark.parametrize("name", [name for name, kind in ATTENTIONS.items() if kind.asked == "after"])
@pytest.mark.parametrize("input_feeding", [True, False])
def test_asked_after_the_step_and_fed_into_the_next(name, input_feeding):
    """Luong et al. (2015), eq. 5 and 7 and section 3.3."""
    made = Made(decoder_of(name, input_feeding))

    def one(x, states, feed, row, time):
        top = stacked(made, "none", np.concatenate([x, feed]) if input_feeding else x, states)
        context, weights = made.look(SCORES[name], softmax, top, row)
        return dense(made.decoder.combination, np.concatenate([context, top]), np.tanh), weights

    check(made, one)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("training", [False, True])
def test_without_attention_the_source_is_known_by_the_first_states_alone(cell, connection, training):
    made = Made(decoder_of("none", num_layers=3, cell=cell, connections=connection))
    check(made, lambda x, states, feed, row, time: (stacked(made, connection, x, states), [0] * S), training)


@pytest.mark.parametrize("variational", [False, True])
def test_dropout_in_training(variational):
    """Of what a layer reads drawn for each step or once for all; of the states always once for all."""
    rates = {"dropout": 0.5, "variational_dropout": variational, "recurrent_dropout": 0.5}
    made = Made(decoder_of("none", num_layers=3, connections="residual", **rates))
    seed, rows = same_seed(made.stack), len(LENGTHS)
    shape = (rows, H) if variational else (rows, T, H)
    reads = [np.asarray(dropout_mask(shape, 0.5, seed, "float32")) for _ in range(2)]
    dropped = [np.asarray(dropout_mask((rows, H), 0.5, seed, "float32")) for _ in range(3)]

    def one(x, states, feed, row, time):
        here = [mask[row] if variational else mask[row, time] for mask in reads]
        of_states = [mask[row] for mask in dropped]
        return stacked(made, "residual", x, states, reads=here, dropped=of_states), [0] * S

    check(made, one, training=True)


def test_gnmt_asks_by_the_bottom_layer_and_tells_all():
    """Wu et al. (2016), eq. 4: y of the bottom layer, a step before; eq. 6 from the third layer on."""
    made = Made(GnmtDecoder(H, 4))

    def one(x, states, feed, row, time):
        context, weights = made.look(SCORES["bahdanau"], softmax, states[0][0], row)
        return stacked(made, "residual", x, states, context, first=2), weights

    check(made, one)


def test_without_a_source_it_starts_from_zeros():
    made = Made(decoder_of("none"))
    outputs, weights = made.decoder(tf.constant(made.vectors), made.decoder.start(len(LENGTHS), T))
    states = [[np.zeros(H), np.zeros(H)] for _ in range(2)]
    for time, x in enumerate(made.vectors[0]):
        np.testing.assert_allclose(outputs[0, time], stacked(made, "none", x, states), atol=1e-5)
    assert weights.shape == (len(LENGTHS), T, 0)


def test_layers_above_those_of_the_encoder_start_from_its_top():
    stack = CellStack("gru", H, 3)
    stack.build((None, E))
    top = np.random.default_rng(0).normal(size=(2, 2 * H)).astype("float32")
    states = stack.start(2, [[np.zeros((2, 2 * H), "float32")], [top]])
    for layer, [state] in enumerate(states):
        expected = dense(stack.bridges[layer][0], top if layer else 0 * top, np.tanh)
        np.testing.assert_allclose(state, expected, atol=1e-5)
