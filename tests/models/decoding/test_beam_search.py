"""Beam search on a hand-made language model whose best targets a reader can work out."""

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from models.decoding.beam_search import Attention, BeamSettings, beam_search
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


# Greedy takes A (0.6) and ends with 0.6 * 0.4; B then C ends with 0.4 * 1 * 1.
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


@dataclasses.dataclass(frozen=True)
class Sources:
    """Sources that a bigram model looks at, each in its own way.

    Attributes:
        weights: attention after a token, float (rows, VOCABULARY_SIZE, S).
        padding_mask: bool (rows, S).
        penalties: beta of each row.
    """

    weights: np.ndarray
    padding_mask: np.ndarray
    penalties: list[float] | None


def search_sources(
    table: np.ndarray, sources: Sources, widths: list[int], penalties: list[float], lengths: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """As `search`, with attention that the cache carries."""

    def next_token(token_ids, cache):
        weights = tf.gather(tf.constant(sources.weights, tf.float32), cache["row"])
        seen = tf.gather(weights, token_ids, batch_dims=1)
        return tf.gather(tf.constant(table), token_ids), cache | {"weights": seen}

    betas = None if sources.penalties is None else tf.constant(sources.penalties)
    settings = BeamSettings(tf.constant(widths), tf.constant(penalties), tf.constant(lengths), betas)
    cache = {"row": tf.range(len(widths)), "weights": tf.zeros(sources.padding_mask.shape)}
    attention = Attention(lambda cache: cache["weights"], tf.constant(sources.padding_mask))
    function = tf.function(lambda: beam_search(next_token, cache, settings, tf.constant(max(widths)), attention))
    token_ids, scores = function()
    return token_ids.numpy(), scores.numpy()


def random_table(rng: np.random.Generator) -> np.ndarray:
    return np.log(rng.dirichlet(np.ones(VOCABULARY_SIZE) * 0.5, VOCABULARY_SIZE)).astype("float32")


def random_sources(rng: np.random.Generator, lengths: list[int], penalties: list[float] | None) -> Sources:
    """Sources of some lengths; what is padded is looked at, too, so that it must be left out by the mask."""
    longest = max(lengths)
    weights = rng.dirichlet(np.ones(longest) * 0.3, (len(lengths), VOCABULARY_SIZE))
    return Sources(weights, np.arange(longest) < np.array(lengths)[:, np.newaxis], penalties)


def ranked(
    table: np.ndarray, weights: np.ndarray, real: np.ndarray, alpha: float, beta: float, longest: int
) -> list[tuple[float, float, list[int]]]:
    """Every target there is with its score by eq. 14 and its mean log probability, best first."""
    found = []
    for target in itertools.chain(*(itertools.product((A, B, C), repeat=length) for length in range(longest + 1))):
        read, said = (START_TOKEN_ID, *target), (*target, END_TOKEN_ID)
        log_prob = sum(float(table[previous, token]) for previous, token in zip(read, said, strict=True))
        length_penalty = (5 + len(said)) ** alpha / (5 + 1) ** alpha
        attended = weights[list(read)].sum(axis=0)
        coverage_penalty = beta * np.log(np.minimum(attended, 1))[real].sum()
        found.append((log_prob / length_penalty + coverage_penalty, log_prob / len(said), list(target)))
    return sorted(found, reverse=True)


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


# === Coverage ===


@pytest.mark.parametrize("seed", range(4))
def test_wide_beam_ranks_all_targets_as_eq_14_does(seed):
    rng = np.random.default_rng(seed)
    table = random_table(rng)
    alphas, betas = [0.0, 1.0, 3.0], [0.7, 0.2, 1.5]
    sources = random_sources(rng, [5, 3, 4], betas)
    found, means = search_sources(table, sources, [40] * 3, alphas, [3] * 3)
    for row, (alpha, beta) in enumerate(zip(alphas, betas, strict=True)):
        expected = ranked(table, sources.weights[row], sources.padding_mask[row], alpha, beta, 3)
        assert [tokens(target) for target in found[row, :10]] == [target for *_, target in expected[:10]]
        np.testing.assert_allclose(means[row, :10], [mean for _, mean, _ in expected[:10]], atol=1e-4)


@pytest.mark.parametrize("width", [1, 3])
def test_a_coverage_penalty_of_zero_is_none(width):
    rng = np.random.default_rng(5)
    table, sources = random_table(rng), random_sources(rng, [4, 2], [0.0, 0.0])
    sources.weights[:, :, 0] = 0
    settings = [width] * 2, [0.6] * 2, [6] * 2
    without = search(table, *settings)
    for one in (sources, dataclasses.replace(sources, penalties=None)):
        np.testing.assert_equal(search_sources(table, one, *settings), without)


def test_coverage_of_batch_mates_changes_nothing():
    rng = np.random.default_rng(6)
    table, sources = random_table(rng), random_sources(rng, [5, 3, 4], [2.0, 0.4, 0.0])
    together, scores = search_sources(table, sources, [4, 3, 1], [0.0, 0.6, 1.0], [6, 5, 2])
    own = Sources(sources.weights[1:2], sources.padding_mask[1:2], [0.4])
    alone, alone_scores = search_sources(table, own, [3], [0.6], [5])
    assert [tokens(row) for row in together[1, :3]] == [tokens(row) for row in alone[0]]
    np.testing.assert_allclose(scores[1, :3], alone_scores[0], atol=1e-5)


def test_a_search_goes_on_while_the_rest_of_a_source_may_still_be_covered():
    """A and B end first and have hardly seen the second position; reading C, the last step of A C sees it."""
    table = bigram(
        start={A: 0.5, B: 0.5}, a={END_TOKEN_ID: 0.6, C: 0.4}, b={END_TOKEN_ID: 0.6, C: 0.4}, c={END_TOKEN_ID: 1.0}
    )
    weights = np.full((1, VOCABULARY_SIZE, 2), [0.99, 0.01])
    weights[:, C] = [0.01, 0.99]
    real = np.array([[True, True]])
    blind, _ = search_sources(table, Sources(weights, real, [0.0]), [2], [0.0], [5])
    seeing, _ = search_sources(table, Sources(weights, real, [1.0]), [2], [0.0], [5])
    assert [tokens(row) for row in blind[0]] == [[A], [B]]
    assert [tokens(row) for row in seeing[0]] == [[A, C], [B, C]]


def test_a_penalty_without_measure_leaves_the_targets_there():
    rng = np.random.default_rng(7)
    table, sources = random_table(rng), random_sources(rng, [4], [1e12])
    found, means = search_sources(table, sources, [3], [0.6], [3])
    assert (means > -1e3).all()
    assert len({tuple(row) for row in found[0]}) == 3
