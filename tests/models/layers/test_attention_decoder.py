"""Each step of the decoder equals a plain reading of the papers' equations, on random weights."""

import numpy as np
import pytest
import tensorflow as tf

from models.layers.attention_decoder import AttentionDecoder

E, H, S, T = 3, 4, 5, 6
REAL = 4  # positions of the source that are no padding


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def lstm(layer, x, h, c):
    """Hochreiter and Schmidhuber (1997) with a forget gate; Keras keeps the gates in the order i, f, c, o."""
    kernel, recurrent, bias = (np.asarray(weight) for weight in layer.get_weights())
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(layer, x, h):
    """Cho et al. (2014), the reset gate applied after the product, as cuDNN has it; Keras: z, r, h."""
    kernel, recurrent, bias = (np.asarray(weight) for weight in layer.get_weights())
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z * h + (1 - z) * np.tanh(xh + r * hh)


def dense(layer, x, activation=lambda x: x):
    weights = [np.asarray(weight) for weight in layer.get_weights()]
    return activation(x @ weights[0] + (weights[1] if len(weights) > 1 else 0))


def made(attention, num_layers=2, cell="lstm", residual=False):
    decoder = AttentionDecoder(attention, H, num_layers, cell, residual)
    decoder.build((None, None, E))
    rng = np.random.default_rng(1)
    source = rng.normal(size=(1, S, H)).astype("float32")
    memory = decoder.remember(tf.constant(source), tf.constant([[True] * REAL + [False] * (S - REAL)]))
    final_states = [[tf.constant(rng.normal(size=(1, H)), tf.float32) for _ in "hc"] for _ in range(num_layers)]
    decoder.start(1, T, final_states)  # makes the bridges
    decoder.set_weights([rng.normal(0, 0.5, weight.shape) for weight in decoder.get_weights()])
    memory = decoder.remember(tf.constant(source), memory["padding_mask"])
    vectors = rng.normal(size=(1, T, E)).astype("float32")
    return decoder, memory, final_states, source[0], vectors


def bridged(decoder, final_states):
    """Bahdanau et al. (2015, A.2.2): tanh(W h) for the hidden state; the LSTM's cell state is read without a tanh."""
    states = []
    for (of_h, of_c), (h, c) in zip(decoder.bridges, final_states, strict=True):
        states.append([dense(of_h, np.asarray(h)[0], np.tanh), dense(of_c, np.asarray(c)[0])])
    return states


def stacked(decoder, x, states):
    for index, cell in enumerate(decoder.cells):
        h, c = lstm(cell, x, *states[index])
        states[index] = [h, c]
        x = h
    return x


def test_bahdanau_asks_before_the_step_with_the_last_state():
    decoder, memory, final_states, source, vectors = made("bahdanau")
    outputs, weights = decoder(tf.constant(vectors), decoder.start(1, T, final_states), memory)
    states, scorer = bridged(decoder, final_states), decoder.scorer
    keys = dense(scorer.key_projection, source)
    for time, x in enumerate(vectors[0]):
        hidden = np.tanh(dense(scorer.query_projection, states[-1][0]) + keys)
        alpha = softmax(dense(scorer.score_projection, hidden)[:REAL, 0])
        context = alpha @ source[:REAL]
        top = stacked(decoder, np.concatenate([x, context]), states)
        expected = dense(decoder.combination, np.concatenate([top, context, x]), np.tanh)
        np.testing.assert_allclose(outputs[0, time], expected, atol=1e-5)
        np.testing.assert_allclose(weights[0, time], [*alpha, *[0] * (S - REAL)], atol=1e-5)


def test_luong_asks_after_the_step_and_feeds_its_answer_into_the_next():
    decoder, memory, final_states, source, vectors = made("luong")
    outputs, weights = decoder(tf.constant(vectors), decoder.start(1, T, final_states), memory)
    states, feed = bridged(decoder, final_states), np.zeros(H)
    keys = dense(decoder.scorer.key_projection, source)
    for time, x in enumerate(vectors[0]):
        top = stacked(decoder, np.concatenate([x, feed]), states)  # section 3.3, input feeding
        alpha = softmax((keys @ top)[:REAL])  # eq. 7 and 8, "general"
        feed = dense(decoder.combination, np.concatenate([alpha @ source[:REAL], top]), np.tanh)  # eq. 5
        np.testing.assert_allclose(outputs[0, time], feed, atol=1e-5)
        np.testing.assert_allclose(weights[0, time], [*alpha, *[0] * (S - REAL)], atol=1e-5)


def test_without_attention_the_source_is_known_by_the_first_states_alone():
    decoder, memory, final_states, _, vectors = made("none")
    outputs, weights = decoder(tf.constant(vectors), decoder.start(1, T, final_states), memory)
    states = bridged(decoder, final_states)
    for time, x in enumerate(vectors[0]):
        np.testing.assert_allclose(outputs[0, time], stacked(decoder, x, states), atol=1e-5)
    assert weights.shape == (1, T, S)
    assert not np.any(weights)


def test_without_a_source_it_starts_from_zeros():
    decoder, _, _, _, vectors = made("none")
    outputs, weights = decoder(tf.constant(vectors), decoder.start(1, T))
    states = [[np.zeros(H), np.zeros(H)] for _ in range(2)]
    for time, x in enumerate(vectors[0]):
        np.testing.assert_allclose(outputs[0, time], stacked(decoder, x, states), atol=1e-5)
    assert weights.shape == (1, T, 0)


@pytest.mark.parametrize("residual", [False, True])
def test_gated_units_and_residual_connections(residual):
    decoder, _, _, _, vectors = made("none", 3, "gru", residual)
    outputs, _ = decoder(tf.constant(vectors), decoder.start(1, T))
    states = [np.zeros(H)] * 3
    for time, x in enumerate(vectors[0]):
        for index, cell in enumerate(decoder.cells):
            states[index] = gru(cell, x, states[index])
            x = states[index] + (x if residual and index else 0)
        np.testing.assert_allclose(outputs[0, time], x, atol=1e-5)
