"""Beam search in the graph, per-request settings included; a beam of 1 is greedy search.

B: batch, K: beams, L: longest target, V: vocabulary. Follows Sutskever et al. (2014, section 3.2) with the length
penalty of Wu et al. (2016, eq. 14): score = log P(Y|X) / lp(Y), lp(Y) = (5 + |Y|)^alpha / 6^alpha, |Y| with the end
token. We use no coverage penalty. A row's result depends on its own settings alone, whatever its batch-mates ask for.
"""

import dataclasses
from typing import Any

import tensorflow as tf

from models.decoding.next_token import NextToken
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID, UNKNOWN_TOKEN_ID

# Finite, so that no NaN can arise from a difference of two of them.
_IMPOSSIBLE = -1e9
# Tokens that no target holds. [UNK] among them: a person never sees one, the decoder takes its next best choice.
_FORBIDDEN = (PAD_TOKEN_ID, UNKNOWN_TOKEN_ID, START_TOKEN_ID)


@dataclasses.dataclass(frozen=True)
class BeamSettings:
    """Settings of every request of a batch.

    Attributes:
        beam_width: int32 (B,), at least 1; at most the number of beams searched.
        length_penalty: float32 (B,), alpha.
        max_length: int32 (B,), tokens of the target at most, the end token not counted.
    """

    beam_width: tf.Tensor
    length_penalty: tf.Tensor
    max_length: tf.Tensor


class _State(tf.experimental.ExtensionType):
    """What goes round the loop.

    Attributes:
        length: tokens decoded so far.
        alive: token ids of unfinished targets, [START] first; int32 (B, K, L + 2).
        alive_log_probs: float32 (B, K), log P(Y|X).
        finished: token ids of finished targets; int32 (B, K, L + 2).
        finished_scores: float32 (B, K), with the length penalty.
        finished_log_probs: float32 (B, K), mean of a token.
    """

    length: tf.Tensor
    alive: tf.Tensor
    alive_log_probs: tf.Tensor
    finished: tf.Tensor
    finished_scores: tf.Tensor
    finished_log_probs: tf.Tensor


def beam_search(
    next_token: NextToken, cache: Any, settings: BeamSettings, num_beams: tf.Tensor
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

    Returns:
        token ids, int32 (B, K, L + 2), [START] first, padded with 0, best first; and the mean log probability of a
        token, end token included, float32 (B, K). Beams beyond a row's `beam_width` are padding with a score of -1e9.
    """
    batch_size = tf.shape(settings.beam_width)[0]
    longest = tf.reduce_max(settings.max_length)
    cache = tf.nest.map_structure(lambda tensor: tf.repeat(tensor, num_beams, axis=0), cache)
    state = _start(batch_size, num_beams, longest)

    def unfinished(state: _State, cache: Any) -> tf.Tensor:
        return (state.length <= longest) & tf.reduce_any(_searching(state, settings))

    def step(state: _State, cache: Any) -> tuple[_State, Any]:
        previous = tf.reshape(tf.gather(state.alive, state.length, axis=2), [-1])
        logits, cache = next_token(previous, cache)
        log_probs = tf.reshape(_allowed_log_probs(logits), [batch_size, num_beams, -1])
        state, parents = _advance(state, log_probs, settings, num_beams)
        rows = tf.reshape(parents + tf.range(batch_size)[:, tf.newaxis] * num_beams, [-1])
        return state, tf.nest.map_structure(lambda tensor: tf.gather(tensor, rows), cache)

    state, _ = tf.while_loop(unfinished, step, (state, cache), shape_invariants=_invariants(state, cache))
    return state.finished, state.finished_log_probs


def _start(batch_size: tf.Tensor, num_beams: tf.Tensor, longest: tf.Tensor) -> _State:
    tokens = tf.fill([batch_size, num_beams, longest + 2], PAD_TOKEN_ID)
    first = tf.one_hot(0, longest + 2, on_value=START_TOKEN_ID, off_value=PAD_TOKEN_ID, dtype=tf.int32)
    impossible = tf.fill([batch_size, num_beams], _IMPOSSIBLE)
    only_first = tf.where(tf.range(num_beams) == 0, 0.0, _IMPOSSIBLE)
    return _State(
        length=tf.constant(0),
        alive=tokens + first,
        alive_log_probs=tf.broadcast_to(only_first, [batch_size, num_beams]),
        finished=tokens,
        finished_scores=impossible,
        finished_log_probs=impossible,
    )


def _invariants(state: _State, cache: Any) -> tuple[Any, Any]:
    def loose(tensor: tf.Tensor) -> tf.TensorSpec:
        return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)

    loose_state = _State.Spec(
        **{name: loose(getattr(state, name)) for name in _State.__annotations__ if name != "length"},
        length=tf.TensorSpec([], tf.int32),
    )
    return loose_state, tf.nest.map_structure(lambda tensor: tf.TensorShape([None, *tensor.shape[1:]]), cache)


def _allowed_log_probs(logits: tf.Tensor) -> tf.Tensor:
    log_probs = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    forbidden = tf.reduce_any(tf.range(tf.shape(logits)[-1])[:, tf.newaxis] == tf.constant(_FORBIDDEN), axis=-1)
    return tf.where(forbidden, _IMPOSSIBLE, log_probs)


def _advance(
    state: _State, log_probs: tf.Tensor, settings: BeamSettings, num_beams: tf.Tensor
) -> tuple[_State, tf.Tensor]:
    """Extends every beam by a token: log_probs float32 (B, K, V); returns the state and each beam's parent (B, K)."""
    vocabulary_size = tf.shape(log_probs)[-1]
    # At its longest a target can only end.
    must_end = (state.length >= settings.max_length)[:, tf.newaxis, tf.newaxis]
    is_end = tf.range(vocabulary_size) == END_TOKEN_ID
    log_probs = tf.where(must_end & ~is_end, _IMPOSSIBLE, log_probs)
    totals = state.alive_log_probs[:, :, tf.newaxis] + log_probs

    # An end counts only among a row's best; with one beam that is greedy search.
    contest, _ = tf.math.top_k(tf.reshape(totals, [tf.shape(totals)[0], -1]), num_beams)
    entry = tf.gather(contest, settings.beam_width - 1, batch_dims=1)[:, tf.newaxis]
    ended = totals[:, :, END_TOKEN_ID]
    ended = tf.where((ended >= entry) & _searching(state, settings)[:, tf.newaxis], ended, _IMPOSSIBLE)
    state = _collect(state, ended, settings, num_beams)

    flat = tf.reshape(tf.where(is_end, _IMPOSSIBLE, totals), [tf.shape(totals)[0], -1])
    best, positions = tf.math.top_k(flat, num_beams)
    parents, tokens = positions // vocabulary_size, positions % vocabulary_size
    # A row with a narrower beam than its batch-mates keeps fewer.
    best = tf.where(
        tf.range(num_beams) < settings.beam_width[:, tf.newaxis], tf.maximum(best, _IMPOSSIBLE), _IMPOSSIBLE
    )
    alive = tf.gather(state.alive, parents, batch_dims=1)
    at_next = tf.range(tf.shape(alive)[-1]) == state.length + 1
    alive = tf.where(at_next, tokens[:, :, tf.newaxis], alive)
    following = _replace(state, length=state.length + 1, alive=alive, alive_log_probs=best)
    return following, parents


def _collect(state: _State, ended: tf.Tensor, settings: BeamSettings, num_beams: tf.Tensor) -> _State:
    """Merges targets that end now, float32 (B, K) log probabilities, into the finished ones."""
    tokens = tf.cast(state.length + 1, tf.float32)
    possible = ended > _IMPOSSIBLE / 2
    scores = tf.where(possible, ended / _penalty(tokens, settings), _IMPOSSIBLE)
    means = tf.where(possible, ended / tokens, _IMPOSSIBLE)
    all_scores = tf.concat([state.finished_scores, scores], axis=1)
    all_means = tf.concat([state.finished_log_probs, means], axis=1)
    all_tokens = tf.concat([state.finished, state.alive], axis=1)
    kept, positions = tf.math.top_k(all_scores, num_beams)
    is_kept = (tf.range(num_beams) < settings.beam_width[:, tf.newaxis]) & (kept > _IMPOSSIBLE / 2)
    means = tf.gather(all_means, positions, batch_dims=1)
    tokens = tf.gather(all_tokens, positions, batch_dims=1)
    return _replace(
        state,
        finished=tf.where(is_kept[:, :, tf.newaxis], tokens, PAD_TOKEN_ID),
        finished_scores=tf.where(is_kept, kept, _IMPOSSIBLE),
        finished_log_probs=tf.where(is_kept, means, _IMPOSSIBLE),
    )


def _searching(state: _State, settings: BeamSettings) -> tf.Tensor:
    """Whether a row goes on: bool (B,).

    It does until it has as many finished targets as beams, and then while its best unfinished target would stand among
    them if it ended for free now. (Judged by its longest possible form, the search would almost always run to the
    maximum.) Greedy search stops at its first end.
    """
    within_beam = tf.range(tf.shape(state.finished_scores)[1]) < settings.beam_width[:, tf.newaxis]
    worst = tf.reduce_min(tf.where(within_beam, state.finished_scores, float("inf")), axis=1)
    lacking = worst <= _IMPOSSIBLE / 2
    hopeful = state.alive_log_probs[:, 0] / _penalty(tf.cast(state.length + 1, tf.float32), settings)[:, 0] > worst
    return (lacking | (hopeful & (settings.beam_width > 1))) & (state.length <= settings.max_length)


def _penalty(length: tf.Tensor, settings: BeamSettings) -> tf.Tensor:
    return tf.pow((5.0 + length) / 6.0, settings.length_penalty[:, tf.newaxis])


def _replace(state: _State, **changes: tf.Tensor) -> _State:
    return _State(**({name: getattr(state, name) for name in _State.__annotations__} | changes))
