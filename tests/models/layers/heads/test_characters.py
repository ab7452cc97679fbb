"""Readers of characters beside loops over numbers."""

import keras
import numpy as np
import pytest

from models.layers.heads.characters import CharacterCnn, CharacterLstm
from models.layers.heads.unknown_words import UnknownWords
from models.tokenizers.special import UNKNOWN_TOKEN_ID

# Two rows of three words, the last one of each longer than, or without, characters.
IDS = np.array([[[3, 4, 0, 0], [5, 0, 0, 0], [3, 4, 5, 6]], [[6, 6, 6, 0], [4, 0, 0, 0], [0, 0, 0, 0]]], np.int32)


def with_weights(layer, seed=1):
    layer(IDS)
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return layer


@pytest.mark.parametrize("window", [2, 3, 5])
def test_a_convolution_and_the_maximum_of_each_filter(window):
    """Ma and Hovy (2016), section 2.1, with zeros around a word."""
    layer = with_weights(CharacterCnn(7, 4, 5, window, 0.0))
    vectors, filters, bias = layer.get_weights()
    found = np.array(layer(IDS))
    for row, word in np.ndindex(2, 3):
        ids = [number for number in IDS[row, word] if number]
        wanted = np.zeros(5) if not ids else np.full(5, -np.inf)
        for place in range(len(ids)):
            value = bias.copy()
            for offset in range(window):
                at = place + offset - (window - 1) // 2
                if 0 <= at < len(ids):
                    value += vectors[ids[at]] @ filters[offset]
            wanted = np.maximum(wanted, value)
        np.testing.assert_allclose(found[row, word], wanted, atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_end(inputs, kernel, recurrent, bias):
    units = len(recurrent)
    h = c = np.zeros(units)
    for x in inputs:
        z = x @ kernel + h @ recurrent + bias
        i, f, g, o = (z[k * units : (k + 1) * units] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


def test_the_ends_of_an_lstm_in_either_direction():
    """Lample et al. (2016), section 4.1."""
    layer = with_weights(CharacterLstm(7, 4, 3, 0.0))
    vectors, *weights = layer.get_weights()
    found = np.array(layer(IDS))
    for row, word in np.ndindex(2, 3):
        inputs = [vectors[number] for number in IDS[row, word] if number]
        wanted = np.zeros(6)
        if inputs:
            wanted = np.concatenate([lstm_end(inputs, *weights[:3]), lstm_end(inputs[::-1], *weights[3:])])
        np.testing.assert_allclose(found[row, word], wanted, atol=1e-5)


def test_some_words_are_unknown_in_training_alone():
    keras.utils.set_random_seed(1)
    words = np.tile([7, 8, 9, 0], (50, 50)).astype(np.int32)
    layer = UnknownWords(0.3)
    np.testing.assert_array_equal(layer(words), words)
    read = np.array(layer(words, training=True))
    assert np.all(read[words == 0] == 0)
    assert np.all((read == words) | (read == UNKNOWN_TOKEN_ID))
    assert np.mean(read[words != 0] == UNKNOWN_TOKEN_ID) == pytest.approx(0.3, abs=0.03)
