"""Beam search in the graph, per-request settings included; a beam of 1 is greedy search.

B: batch, K: beams, N: B * K, L: longest target, S: source positions, V: vocabulary. Follows Sutskever et al. (2014,
section 3.2) with the length and the coverage penalty of Wu et al. (2016, eq. 14; see `beam_scores`). As there, they
rank finished targets; unfinished ones of a row, all of the same length, are ranked by log P(Y|X) alone. We prune
neither tokens nor targets by their distance from the best. A row's result depends on its own settings alone, whatever
its batch-mates ask for.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from models.decoding.beam_scores import coverage_penalty, length_penalty
from models.decoding.beam_state import BeamState, invariants, replace, start
from models.decoding.next_token import IMPOSSIBLE, NextToken, forbid
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID

# A penalty without measure must not make a finished target look like none.
_WORST_SCORE = IMPOSSIBLE / 4


@dataclasses.dataclass(frozen=True)
class BeamSettings:
    """Settings of every request of a batch.

    Attributes:
        beam_width: int32 (B,), at least 1; at most the number of beams searched.
        length_penalty: float32 (B,), alpha.
        max_length: int32 (B,), tokens of the target at most, the end token not counted.
        coverage_penalty: float32 (B,), beta, at least 0; None as zeros. Without effect unless attention is given.
    """

    beam_width: tf.Tensor
    length_penalty: tf.Tensor
    max_length: tf.Tensor
    coverage_penalty: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Attention:
    """Where a decoder looks, for the coverage penalty.

    Attributes:
        weights: picks the attention weights of the last step, float (N, S), out of the cache that this step returned.
        padding_mask: bool (B, S), True = real source position; repeated for the beams by the search.
    """

    weights: Callable[[Any], tf.Tensor]
    padding_mask: tf.Tensor


def beam_search(
    next_token: NextToken,
    cache: Any,
    settings: BeamSettings,
    num_beams: tf.Tensor,
    attention: Attention | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Searches for the most probable targets.

    1. Repeat the cache for every beam; start with one real beam.
    2. Extend all beams by all tokens; forbid impossible ones.
    3. Of the best K, move those that end to the finished targets; keep the best K that do not end.
    4. A row is done when its finished targets cannot get better any more, or it is at its longest.

    Args:
        next_token: the model's step.
        cache: nest of tensors with B rows each.
        settings: per-row settings.
        num_beams: int32 scalar K, the largest `beam_width` of the batch.
        attention: of a decoder whose cache holds its attention weights; None: no coverage penalty.

    Returns:
        token ids, int32 (B, K, L + 2), [START] first, padded with 0, best first; and the mean log probability of a
        token, end token included, no penalties, float32 (B, K). Beams beyond a row's `beam_width` are padding with a
        score of -1e9.
    """
    batch_size = tf.shape(settings.beam_width)[0]
    longest = tf.reduce_max(settings.max_length)
    if attention is None or settings.coverage_penalty is None:
        # A source without positions: there is nothing to cover.
        nothing = tf.zeros([batch_size, 0])
        attention = Attention(lambda cache: tf.repeat(nothing, num_beams, axis=0), tf.cast(nothing, tf.bool))
        settings = dataclasses.replace(settings, coverage_penalty=tf.zeros([batch_size]))
    weights_of, padding_mask = attention.weights, attention.padding_mask
    cache = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, num_beams, axis=0), cache)
    state = start(batch_size, num_beams, longest, tf.shape(padding_mask)[1])

    def unfinished(state: BeamState, cache: Any) -> tf.Tensor:
        return (state.length <= longest) & tf.reduce_any(_searching(state, settings))

    def step(state: BeamState, cache: Any) -> tuple[BeamState, Any]:
        previous = tf.reshape(tf.gather(state.alive, state.length, axis=2), [-1])
        logits, cache = next_token(previous, cache)
        log_probs = forbid(tf.nn.log_softmax(tf.cast(logits, tf.float32)))
        log_probs = tf.reshape(log_probs, [batch_size, num_beams, -1])
        weights = tf.reshape(tf.cast(weights_of(cache), tf.float32), tf.shape(state.attended))
        state = replace(state, attended=state.attended + weights)
        coverage = coverage_penalty(state.attended, padding_mask, settings.coverage_penalty)
        state, parents = _advance(state, log_probs, coverage, settings, num_beams)
        rows = tf.reshape(parents + tf.range(batch_size)[:, tf.newaxis] * num_beams, [-1])
        return state, tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), cache)

    state, _ = tf.while_loop(unfinished, step, (state, cache), shape_invariants=invariants(state, cache))
    return state.finished, state.finished_log_probs


def _advance(
    state: BeamState, log_probs: tf.Tensor, coverage: tf.Tensor, settings: BeamSettings, num_beams: tf.Tensor
) -> tuple[BeamState, tf.Tensor]:
    """Extends every beam by a token.

    Args:
        state: with the attention of this step.
        log_probs: of the token, float32 (B, K, V).
        coverage: cp(X; Y) of targets that end now, float32 (B, K).
        settings: per-row settings.
        num_beams: K.

    Returns:
        the state and each beam's parent, int32 (B, K).
    """
    vocabulary_size = tf.shape(log_probs)[-1]
    # At its longest a target can only end.
    must_end = (state.length >= settings.max_length)[:, tf.newaxis, tf.newaxis]
    is_end = tf.range(vocabulary_size) == END_TOKEN_ID
    log_probs = tf.where(must_end & ~is_end, IMPOSSIBLE, log_probs)
    totals = state.alive_log_probs[:, :, tf.newaxis] + log_probs

    # An end counts only among a row's best; with one beam that is greedy search.
    contest, _ = tf.math.top_k(tf.reshape(totals, [tf.shape(totals)[0], -1]), num_beams)
    entry = tf.gather(contest, settings.beam_width - 1, batch_dims=1)[:, tf.newaxis]
    ended = totals[:, :, END_TOKEN_ID]
    ended = tf.where((ended >= entry) & _searching(state, settings)[:, tf.newaxis], ended, IMPOSSIBLE)
    state = _collect(state, ended, coverage, settings, num_beams)

    flat = tf.reshape(tf.where(is_end, IMPOSSIBLE, totals), [tf.shape(totals)[0], -1])
    best, positions = tf.math.top_k(flat, num_beams)
    parents, tokens = positions // vocabulary_size, positions % vocabulary_size
    # A row with a narrower beam than its batch-mates keeps fewer.
    best = tf.where(tf.range(num_beams) < settings.beam_width[:, tf.newaxis], tf.maximum(best, IMPOSSIBLE), IMPOSSIBLE)
    alive = tf.gather(state.alive, parents, batch_dims=1)
    at_next = tf.range(tf.shape(alive)[-1]) == state.length + 1
    following = replace(
        state,
        length=state.length + 1,
        alive=tf.where(at_next, tokens[:, :, tf.newaxis], alive),
        alive_log_probs=best,
        attended=tf.gather(state.attended, parents, batch_dims=1),
    )
    return following, parents


def _collect(
    state: BeamState, ended: tf.Tensor, coverage: tf.Tensor, settings: BeamSettings, num_beams: tf.Tensor
) -> BeamState:
    """Merges targets that end now, float32 (B, K) log probabilities, into the finished ones."""
    tokens = tf.cast(state.length + 1, tf.float32)
    possible = ended > IMPOSSIBLE / 2
    scores = tf.maximum(ended / length_penalty(tokens, settings.length_penalty) + coverage, _WORST_SCORE)
    scores = tf.where(possible, scores, IMPOSSIBLE)
    means = tf.where(possible, ended / tokens, IMPOSSIBLE)
    all_scores = tf.concat([state.finished_scores, scores], axis=1)
    all_means = tf.concat([state.finished_log_probs, means], axis=1)
    all_tokens = tf.concat([state.finished, state.alive], axis=1)
    kept, positions = tf.math.top_k(all_scores, num_beams)
    is_kept = (tf.range(num_beams) < settings.beam_width[:, tf.newaxis]) & (kept > IMPOSSIBLE / 2)
    means = tf.gather(all_means, positions, batch_dims=1)
    tokens = tf.gather(all_tokens, positions, batch_dims=1)
    return replace(
        state,
        finished=tf.where(is_kept[:, :, tf.newaxis], tokens, PAD_TOKEN_ID),
        finished_scores=tf.where(is_kept, kept, IMPOSSIBLE),
        finished_log_probs=tf.where(is_kept, means, IMPOSSIBLE),
    )


def _searching(state: BeamState, settings: BeamSettings) -> tf.Tensor:
    """Whether a row goes on: bool (B,).

    It does until it has as many finished targets as beams, and then while its best unfinished target would stand among
    them if it ended for free now. (Judged by its longest possible form, the search would almost always run to the
    maximum.) What that target has not looked at yet it may still look at, the last token often at the most: so it is
    judged as if it covered everything, a coverage penalty of 0, and no search stops too early because of coverage.
    Greedy search stops at its first end.
    """
    within_beam = tf.range(tf.shape(state.finished_scores)[1]) < settings.beam_width[:, tf.newaxis]
    worst = tf.reduce_min(tf.where(within_beam, state.finished_scores, float("inf")), axis=1)
    lacking = worst <= IMPOSSIBLE / 2
    penalty = length_penalty(tf.cast(state.length + 1, tf.float32), settings.length_penalty)
    hopeful = state.alive_log_probs[:, 0] / penalty[:, 0] > worst
    return (lacking | (hopeful & (settings.beam_width > 1))) & (state.length <= settings.max_length)
