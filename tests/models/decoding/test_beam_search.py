"""Beam search on a hand-made language model whose best targets a reader can work out."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from models.decoding.beam_search import BeamSettings, beam_search
from models.tokenizers.special import END_TOKEN_ID, START_TOKEN_ID

A, B, C = 4, 5, 6
VOCABULARY_SIZE = 7


def bigram(**rows: dict[int, float]) -> np.ndarray:
    """Log probabilities of the next token (column) after a token (row); what is not given is all but impossible."""
    table = np.full((VOCABULARY_SIZE, VOCABULARY_SIZE), 1e-6)
    for previous, following in rows.items():
        for token, probability in following.items():
            table[{"start": START_TOKEN_ID, "a": A, "b": B, "c": C}[previous]][token] = probability
    return np.log(table / table.sum(axis=1, keepdims=True)).astype("float32")


# Greedy takes A (0.6) and ends with 0.6 * 0.3; B then C ends with 0.4 * 1 * 1.
TRAP = bigram(start={A: 0.6, B: 0.4}, a={END_TOKEN_ID: 0.4, A: 0.3, C: 0.3}, b={C: 1.0}, c={END_TOKEN_ID: 1.0})


def search(table: np.ndarray, widths: list[int], penalties: list[float], lengths: list[int]):
    rows = len(widths)

    def next_token(token_ids, cache):
        return tf.gather(tf.constant(table), token_ids), {"count": cache["count"] + 1}

    settings = BeamSettings(tf.constant(widths), tf.constant(penalties), tf.constant(lengths))
    cache = {"count": tf.zeros([rows, 1])}
    function = tf.function(lambda: beam_search(next_token, cache, settings, tf.constant(max(widths))))
    token_ids, scores = function()
    return token_ids.numpy(), scores.numpy()


def tokens(row: np.ndarray) -> list[int]:
    return [int(token) for token in row if token not in (0, START_TOKEN_ID)]


def test_greedy_falls_into_the_trap_and_a_beam_does_not():
    greedy, _ = search(TRAP, [1], [0.0], [5])
    beam, scores = search(TRAP, [2], [0.0], [5])
    assert tokens(greedy[0, 0]) == [A]
    assert tokens(beam[0, 0]) == [B, C]
    # log(0.4 * 1 * 1) over three tokens, the end counted
    np.testing.assert_allclose(scores[0, 0], np.log(0.4) / 3, atol=1e-4)


def test_wide_beam_finds_the_best_of_all_targets():
    rng = np.random.default_rng(3)
    table = np.log(rng.dirichlet(np.ones(VOCABULARY_SIZE) * 0.5, VOCABULARY_SIZE)).astype("float32")
    best = max(
        (
            (
                sum(
                    table[previous][token]
                    for previous, token in itertools.pairwise((START_TOKEN_ID, *target, END_TOKEN_ID))
                ),
                target,
            )
            for length in range(4)
            for target in itertools.product((A, B, C), repeat=length)
        ),
    )
    found, scores = search(table, [40], [0.0], [3])
    totals = scores[0] * [len(tokens(row)) + 1 for row in found[0]]
    assert tuple(tokens(found[0, 0])) == best[1]
    np.testing.assert_allclose(totals[0], best[0], atol=1e-4)


def test_length_penalty_prefers_longer_targets():
    table = bigram(start={A: 0.5, END_TOKEN_ID: 0.5}, a={A: 0.7, END_TOKEN_ID: 0.3})
    short, _ = search(table, [4], [0.0], [6])
    long, _ = search(table, [4], [5.0], [6])
    assert len(tokens(short[0, 0])) < len(tokens(long[0, 0]))


def test_length_penalty_is_that_of_wu_et_al():
    """Of two targets the better by log P / ((5 + |Y|) / 6) ** alpha stands first."""
    found, means = search(TRAP, [3], [1.0], [5])
    lengths = np.array([len(tokens(row)) + 1 for row in found[0]])
    scores = means[0] * lengths / ((5 + lengths) / 6)
    assert list(scores) == sorted(scores, reverse=True)


def test_every_target_ends_by_its_own_maximum():
    endless = bigram(start={A: 1.0}, a={A: 1.0})
    found, _ = search(endless, [2, 2], [0.6, 0.6], [2, 6])
    assert tokens(found[0, 0]) == [A] * 2
    assert tokens(found[1, 0]) == [A] * 6


@pytest.mark.parametrize("width", [1, 2, 3])
def test_settings_of_batch_mates_change_nothing(width):
    alone, alone_scores = search(TRAP, [width], [0.6], [4])
    together, scores = search(TRAP, [5, width, 1], [0.0, 0.6, 2.0], [6, 4, 1])
    for beam in range(width):
        assert tokens(together[1, beam]) == tokens(alone[0, beam])
    np.testing.assert_allclose(scores[1, :width], alone_scores[0], atol=1e-5)
    assert not together[1, width:].any()


def test_unknown_padding_and_start_are_never_chosen():
    table = np.log(np.full((VOCABULARY_SIZE, VOCABULARY_SIZE), 0.02)).astype("float32")
    table[:, [0, 1, 2]] = np.log(0.3)
    found, _ = search(table, [3], [1.0], [4])
    assert all(token >= END_TOKEN_ID for row in found[0] for token in row[1:] if token)
