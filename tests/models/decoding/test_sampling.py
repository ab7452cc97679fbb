"""Sampling against a plain reading of its rules, on a small recurrent network of random weights."""

import numpy as np
import pytest
import tensorflow as tf

from models.decoding.noise import PIECE, uniform_noise
from models.decoding.sampling import Prompt, SamplingSettings, sample
from models.tokenizers.special import END_TOKEN_ID, START_TOKEN_ID

A, B, C = 4, 5, 6
VOCABULARY_SIZE, WIDTH = 9, 6
FORBIDDEN = [0, 1, 2]

_rng = np.random.default_rng(11)
EMBEDDING = _rng.normal(size=(VOCABULARY_SIZE, WIDTH)).astype("float32")
RECURRENT = (_rng.normal(size=(WIDTH, WIDTH)) / 4).astype("float32")
OUTPUT = (_rng.normal(size=(WIDTH, VOCABULARY_SIZE)) * 2).astype("float32")
# Rows of every kind: prompt, temperature, top_k, top_p, max_length, seed.
REQUESTS = [
    ([], 1.0, 0, 1.0, 12, 1),
    ([A], 1.0, 0, 1.0, 9, 2),
    ([A, B, 8, C], 0.7, 0, 1.0, 5, 3),
    ([B, B], 0.0, 0, 1.0, 8, 4),
    ([C, 7, A], 1.5, 3, 1.0, 10, 5),
    ([7], 1.0, 0, 0.6, 10, 6),
    ([8, A, C, C, B, 7], 2.0, 5, 0.8, 3, 7),
    ([A], 1.0, 1, 1.0, 7, 8),
    ([], 3.0, 0, 0.9, 1, 9),
    ([A, A], 1.0, 0, 1.0, 0, 10),
]


def network(token_ids, cache):
    hidden = tf.tanh(tf.gather(tf.constant(EMBEDDING), token_ids) + cache["hidden"] @ tf.constant(RECURRENT))
    return hidden @ tf.constant(OUTPUT), {"hidden": hidden}


def ask(requests: list[tuple], next_token=network) -> tuple[list[list[int]], np.ndarray]:
    """Samples all requests in one batch."""
    prompts, temperatures, top_ks, top_ps, lengths, seeds = zip(*requests, strict=True)
    longest = max(len(prompt) for prompt in prompts)
    padded = np.array([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts], "int32")
    prompt = Prompt(tf.constant(padded), tf.constant([len(prompt) for prompt in prompts]))
    settings = SamplingSettings(
        tf.constant(temperatures, tf.float32),
        tf.constant(top_ks),
        tf.constant(top_ps, tf.float32),
        tf.constant(lengths),
        tf.constant(seeds),
    )
    cache = {"hidden": tf.zeros([len(requests), WIDTH])}
    token_ids, scores = tf.function(lambda: sample(next_token, cache, prompt, settings))()
    assert token_ids.shape == (len(requests), max(lengths))
    return [[int(token) for token in row if token] for row in token_ids], scores.numpy()


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def distribution(logits: np.ndarray, temperature: float, top_k: int, top_p: float) -> np.ndarray:
    """What a token is drawn from."""
    scores = logits.astype("float64")
    scores[FORBIDDEN] = -np.inf
    if temperature == 0:
        return np.eye(len(scores))[np.argmax(scores)]
    best_first = np.argsort(-scores)[: top_k or None]
    reached = np.cumsum(softmax(scores[best_first] / temperature))
    nucleus = best_first if top_p == 1 else best_first[: 1 + np.searchsorted(reached, top_p)]
    probabilities = np.zeros(len(scores))
    probabilities[nucleus] = softmax(scores[nucleus] / temperature)
    return probabilities


def by_hand(prompt, temperature, top_k, top_p, max_length, seed) -> tuple[list[int], float]:
    """One request, token by token."""
    noise = uniform_noise(tf.constant([seed]), tf.constant(0)).numpy()[:, 0]
    hidden, drawn, log_probs = np.zeros(WIDTH), [], []
    for token in [START_TOKEN_ID, *prompt]:
        hidden = np.tanh(EMBEDDING[token] + hidden @ RECURRENT)
    while len(log_probs) < max_length:
        probabilities = distribution(hidden @ OUTPUT, temperature, top_k, top_p)
        token = int(np.searchsorted(np.cumsum(probabilities), noise[len(log_probs)], side="right"))
        log_probs.append(np.log(softmax(hidden @ OUTPUT)[token]))
        if token == END_TOKEN_ID:
            break
        drawn.append(token)
        hidden = np.tanh(EMBEDDING[token] + hidden @ RECURRENT)
    return drawn, float(np.mean(log_probs)) if log_probs else 0.0


def test_every_request_is_answered_by_the_rules():
    targets, scores = ask(REQUESTS)
    expected = [by_hand(*request) for request in REQUESTS]
    assert targets == [target for target, _ in expected]
    np.testing.assert_allclose(scores, [score for _, score in expected], atol=1e-4)
    # Both ways of being done are there.
    ended = [len(target) < request[4] for target, request in zip(targets, REQUESTS, strict=True)]
    assert 2 <= sum(ended) <= len(REQUESTS) - 2


@pytest.mark.parametrize("row", range(len(REQUESTS)))
def test_a_request_alone_is_answered_as_in_company(row):
    together, scores = ask(REQUESTS)
    alone, own_score = ask(REQUESTS[row : row + 1])
    assert alone[0] == together[row]
    np.testing.assert_allclose(own_score[0], scores[row], atol=1e-5)


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 0, 1.0), (0.5, 0, 1.0), (2.0, 3, 1.0), (1.0, 0, 0.7)]
)
def test_seeds_draw_the_distribution(temperature, top_k, top_p):
    count = 3000
    targets, _ = ask([([A], temperature, top_k, top_p, 1, seed) for seed in range(count)])
    first = [target[0] if target else END_TOKEN_ID for target in targets]
    logits, _ = network(
        tf.constant([A]), {"hidden": network(tf.constant([2]), {"hidden": tf.zeros([1, WIDTH])})[1]["hidden"]}
    )
    expected = distribution(logits[0].numpy(), temperature, top_k, top_p)
    shares = np.bincount(first, minlength=VOCABULARY_SIZE) / count
    np.testing.assert_allclose(shares, expected, atol=4 * np.sqrt(0.25 / count))
    assert not shares[expected == 0].any()


def test_a_seed_decides_the_target():
    again, other = (REQUESTS[0], REQUESTS[0]), [([], 1.0, 0, 1.0, 12, seed) for seed in range(8)]
    (first, second), _ = ask(list(again))
    assert first == second
    assert len({tuple(target) for target in ask(other)[0]}) > 4


def fixed(shares: dict[int, float]):
    """A decoder that has one distribution whatever came before."""
    table = np.full(VOCABULARY_SIZE, 1e-9)
    for token, share in shares.items():
        table[token] = share

    def next_token(token_ids, cache):
        return tf.tile(tf.constant(np.log(table), tf.float32)[tf.newaxis], [tf.shape(token_ids)[0], 1]), cache

    return next_token


def test_padding_unknown_and_start_are_never_drawn_and_keep_their_share_in_the_score():
    decoder = fixed({0: 0.3, 1: 0.2, 2: 0.1, A: 0.25, B: 0.15})
    requests = [
        ([A], temperature, 0, top_p, 20, seed) for temperature in (0.0, 1.0) for top_p in (0.5, 1.0) for seed in (1, 2)
    ]
    targets, scores = ask(requests, decoder)
    assert {token for target in targets for token in target} == {A, B}
    assert all(len(target) == 20 for target in targets)
    means = [np.mean([np.log({A: 0.25, B: 0.15}[token]) for token in target]) for target in targets]
    np.testing.assert_allclose(scores, means, atol=1e-4)


def test_no_temperature_takes_the_most_probable_of_all_but_equal_ones():
    targets, _ = ask([([], 0.0, 0, 1.0, 4, seed) for seed in range(20)], fixed({A: 0.49999, B: 0.50001}))
    assert targets == [[B] * 4] * 20


def test_the_end_token_ends_a_target_and_counts_in_its_score():
    targets, scores = ask([([A, B], 0.0, 0, 1.0, 5, 1)], fixed({END_TOKEN_ID: 0.6, A: 0.4}))
    assert targets == [[]]
    np.testing.assert_allclose(scores, [np.log(0.6)], atol=1e-4)


def test_a_prompt_may_hold_what_is_never_drawn():
    """An end token or an unknown one in a prompt is read like any other."""
    targets, _ = ask([([END_TOKEN_ID, 1, A], 0.0, 0, 1.0, 3, 1)], fixed({A: 1.0}))
    assert targets == [[A] * 3]


def test_a_target_may_be_longer_than_a_piece_of_noise():
    short, long = ([A], 1.0, 0, 1.0, 3, 1), ([], 1.0, 0, 1.0, PIECE + 20, 2)
    decoder = fixed({A: 0.5, B: 0.5})
    targets, _ = ask([short, long], decoder)
    noise = np.concatenate([uniform_noise(tf.constant([2]), tf.constant(piece)).numpy()[:, 0] for piece in (0, 1)])
    assert targets[1] == [A if number < 0.5 else B for number in noise[: PIECE + 20]]
    assert targets[0] == ask([short], decoder)[0][0]


def test_a_batch_of_no_requests_has_no_targets():
    prompt = Prompt(tf.zeros([0, 3], tf.int32), tf.zeros([0], tf.int32))
    none, nothing = tf.zeros([0]), tf.zeros([0], tf.int32)
    settings = SamplingSettings(none, nothing, none, nothing, nothing)
    token_ids, scores = sample(network, {"hidden": tf.zeros([0, WIDTH])}, prompt, settings)
    assert token_ids.shape[0] == scores.shape[0] == 0
