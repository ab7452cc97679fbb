"""The chain beside all sequences written out, and beside the recursions as loops over numbers."""

import itertools
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.heads.tag_chain import TagChain, allowed_in

TAGS = ["B-x", "B-y", "I-x", "I-y", "O"]
LENGTHS = [5, 1, 0, 3]


def made(tags=TAGS, learned=True, seed=1):
    rng = np.random.default_rng(seed)
    chain = TagChain(allowed_in(tags), learned)
    chain.build()
    for weight in chain.weights:
        weight.assign(rng.normal(size=weight.shape))
    emissions = rng.normal(size=(len(LENGTHS), max(LENGTHS), len(tags))).astype(np.float32)
    return chain, emissions, tf.sequence_mask(LENGTHS, max(LENGTHS))


def is_legal(tags, sequence):
    names = [tags[number] for number in sequence]
    return all(
        not name.startswith("I-") or (place and names[place - 1] in (f"B-{name[2:]}", name))
        for place, name in enumerate(names)
    )


def scores_of_all(chain, tags, emissions, length):
    """Lample et al. (2016), eq. 1, for every legal sequence."""
    transitions, first, last = (
        chain.get_weights() if chain.learned else [np.zeros((len(tags),) * 2), *[np.zeros(len(tags))] * 2]
    )
    found = {}
    for sequence in itertools.product(range(len(tags)), repeat=length):
        if is_legal(tags, sequence):
            score = first[sequence[0]] + last[sequence[-1]]
            for place, tag in enumerate(sequence):
                score += emissions[place, tag]
                if place:
                    score += transitions[sequence[place - 1], tag]
            found[sequence] = score
    return found


@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize("tags", [TAGS, ["noun", "verb", "x"]])
def test_all_sequences_written_out_give_the_same(tags, learned):
    chain, emissions, mask = made(tags, learned)
    log_partition, best, marginals = (
        np.array(method(emissions, mask)) for method in (chain.log_partition, chain.best, chain.marginals)
    )
    for row, length in enumerate(LENGTHS):
        if not length:
            continue
        scores = scores_of_all(chain, tags, emissions[row], length)
        total = math.log(sum(math.exp(score) for score in scores.values()))
        assert log_partition[row] == pytest.approx(total, abs=1e-5)
        assert tuple(best[row, :length]) == max(scores, key=scores.get)
        wanted = np.zeros((length, len(tags)))
        for sequence, score in scores.items():
            wanted[np.arange(length), sequence] += math.exp(score - total)
        np.testing.assert_allclose(marginals[row, :length], wanted, atol=1e-5)
        for sequence in list(scores)[::7]:
            padded = np.zeros((len(LENGTHS), max(LENGTHS)), np.int32)
            padded[row, :length] = sequence
            found = float(chain.log_likelihood(emissions, padded, mask)[row])
            assert found == pytest.approx(scores[sequence] - total, abs=1e-5)


def test_the_recursions_as_loops_give_the_same():
    """Lafferty et al. (2001), section 3: alpha and beta; Viterbi with the way back."""
    tags = [f"{prefix}-{kind}" for kind in "abcd" for prefix in "BI"] + ["O"]
    rng, length, count = np.random.default_rng(4), 30, 9
    chain = TagChain(allowed_in(tags), True)
    chain.build()
    for weight in chain.weights:
        weight.assign(rng.normal(size=weight.shape))
    emissions = rng.normal(size=(1, length, count)).astype(np.float32)
    mask = tf.ones((1, length), tf.bool)
    a, first, last = (weight.astype(np.float64) for weight in chain.get_weights())
    for i, j in itertools.product(range(count), repeat=2):
        if not is_legal([tags[i].replace("I-", "B-"), tags[j]], (0, 1)):
            a[i, j] = -np.inf
    first = np.array([-np.inf if tag[0] == "I" else value for tag, value in zip(tags, first, strict=True)])
    p = emissions[0].astype(np.float64)
    alpha, delta, beta = (np.zeros((length, count)) for _ in range(3))
    back = np.zeros((length, count), int)
    alpha[0] = delta[0] = first + p[0]
    for t in range(1, length):
        for j in range(count):
            alpha[t, j] = np.log(sum(np.exp(alpha[t - 1, i] + a[i, j]) for i in range(count))) + p[t, j]
            back[t, j] = np.argmax(delta[t - 1] + a[:, j])
            delta[t, j] = delta[t - 1, back[t, j]] + a[back[t, j], j] + p[t, j]
    beta[-1] = last
    for t in reversed(range(length - 1)):
        for i in range(count):
            beta[t, i] = np.log(sum(np.exp(a[i, j] + p[t + 1, j] + beta[t + 1, j]) for j in range(count)))
    log_z = np.log(np.exp(alpha[-1] + last).sum())
    way = [int(np.argmax(delta[-1] + last))]
    for t in reversed(range(1, length)):
        way.insert(0, int(back[t, way[0]]))
    assert float(chain.log_partition(emissions, mask)[0]) == pytest.approx(log_z, abs=1e-4)
    assert np.array(chain.best(emissions, mask))[0].tolist() == way
    np.testing.assert_allclose(chain.marginals(emissions, mask)[0], np.exp(alpha + beta - log_z), atol=1e-5)


def test_padding_changes_nothing_and_an_empty_row_is_certain():
    chain, emissions, mask = made()
    tag_ids = np.full(mask.shape, TAGS.index("O"), np.int32)
    longer, longer_mask = np.pad(emissions, ((0, 0), (0, 3), (0, 0)), constant_values=9), np.pad(mask, ((0, 0), (0, 3)))
    likelihood = chain.log_likelihood(emissions, tag_ids, mask)
    longer_ids = np.pad(tag_ids, ((0, 0), (0, 3)))
    np.testing.assert_allclose(chain.log_likelihood(longer, longer_ids, longer_mask), likelihood, atol=1e-5)
    assert float(likelihood[2]) == 0
    real = np.array(mask)
    np.testing.assert_array_equal(
        np.array(chain.best(longer, longer_mask))[:, :5][real], chain.best(emissions, mask)[mask]
    )
    np.testing.assert_allclose(
        np.array(chain.marginals(longer, longer_mask))[:, :5][real], chain.marginals(emissions, mask)[mask], atol=1e-5
    )


def test_no_illegal_sequence_is_answered_however_the_scores_pull():
    chain, emissions, mask = made(learned=False)
    pulled = emissions + 50 * np.array([tag.startswith("I-") for tag in TAGS], np.float32)
    for row, length in zip(np.array(chain.best(pulled, mask)), LENGTHS, strict=True):
        assert is_legal(TAGS, row[:length])
    illegal = [TAGS.index("I-x")] * 5
    assert np.array(chain.marginals(pulled, mask))[0, 0, illegal[0]] < 1e-6


def test_it_counts_in_float32_whatever_the_layers_do():
    chain, emissions, mask = made()
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = TagChain(allowed_in(TAGS), True)
        other.build()
    finally:
        keras.config.set_dtype_policy(before)
    other.set_weights(chain.get_weights())
    assert other.log_partition(tf.cast(emissions, tf.bfloat16), mask).dtype == tf.float32
    np.testing.assert_allclose(
        other.log_partition(tf.cast(emissions, tf.bfloat16), mask), chain.log_partition(emissions, mask), atol=0.1
    )
    assert other.compute_dtype == other.variable_dtype == "float32"


def test_the_gradient_is_what_the_marginals_lack():
    """Of the likelihood by an emission: 1 for the right tag, less its probability (Lafferty et al., 2001)."""
    chain, emissions, mask = made()
    tag_ids = np.array([[0, 2, 2, 4, 1], [4, 0, 0, 0, 0], [0] * 5, [1, 3, 4, 0, 0]], np.int32)
    emissions = tf.constant(emissions)
    with tf.GradientTape() as tape:
        tape.watch(emissions)
        likelihood = tf.reduce_sum(chain.log_likelihood(emissions, tag_ids, mask))
    wanted = (tf.one_hot(tag_ids, 5) - chain.marginals(emissions, mask)) * tf.cast(mask, tf.float32)[..., None]
    np.testing.assert_allclose(tape.gradient(likelihood, emissions), wanted, atol=1e-5)
