"""Sampling in the graph: a sequence drawn token by token, with settings and a seed for every request.

B: batch, P: longest prompt, L: longest target, V: vocabulary.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from models.decoding.choice import choose
from models.decoding.next_token import NextToken, forbid, keep_rows, row_invariants
from models.decoding.noise import PIECE, uniform_noise
from models.tokenizers.special import END_TOKEN_ID, PAD_TOKEN_ID, START_TOKEN_ID


@dataclasses.dataclass(frozen=True)
class SamplingSettings:
    """Settings of every request of a batch.

    Attributes:
        temperature: float32 (B,); 1 draws as the model believes, less plays safe, 0 takes the most probable token.
        top_k: int32 (B,), tokens to draw among, the most probable ones; 0: all.
        top_p: float32 (B,), probability of the tokens to draw among; 1: all. See `models.decoding.choice.choose`.
        max_length: int32 (B,), tokens drawn at most.
        seed: int32 (B,).
    """

    temperature: tf.Tensor
    top_k: tf.Tensor
    top_p: tf.Tensor
    max_length: tf.Tensor
    seed: tf.Tensor


@dataclasses.dataclass(frozen=True)
class Prompt:
    """What every target goes on from.

    Attributes:
        token_ids: int32 (B, P), without [START], right-padded with 0.
        length: int32 (B,), real tokens of each; 0 begins with nothing.
    """

    token_ids: tf.Tensor
    length: tf.Tensor


class SamplingState(tf.experimental.ExtensionType):
    """What goes round the loop.

    Attributes:
        time: tokens read so far, prompts included; the same for all rows.
        previous: the token to read next, int32 (B,).
        drawn: int32 (B, L), 0 where nothing is drawn yet.
        num_drawn: int32 (B,), the end token included.
        log_prob: float32 (B,), of all drawn tokens.
        going: bool (B,), whether a row draws on.
    """

    time: tf.Tensor
    previous: tf.Tensor
    drawn: tf.Tensor
    num_drawn: tf.Tensor
    log_prob: tf.Tensor
    going: tf.Tensor


def sample(
    next_token: NextToken,
    cache: Any,
    prompt: Prompt,
    settings: SamplingSettings,
    is_stopped: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draws a target for every prompt.

    1. Read [START], then the prompt. A row with a shorter one begins to draw while others still read theirs.
    2. Draw a token from what the filters leave of the model's distribution; never [PAD], [UNK] or [START].
    3. A row is done when it drew the end token, or `max_length` tokens, or is stopped.

    A row depends on its own prompt, settings and seed alone: the same request gives the same target.

    Args:
        next_token: the model's step; it is asked P + L times at most, so a cache of P + L positions is long enough.
        cache: nest of tensors with B rows each.
        prompt: read before anything is drawn.
        settings: per-row settings.
        is_stopped: from what was drawn so far, int32 (B, L) padded with 0, to whether a row is done with it, bool
            (B,). None: no row is.

    Returns:
        token ids, int32 (B, L), without prompt and end token, padded with 0; and the mean natural log probability of a
        drawn token, end token included, float32 (B,): by the model's own distribution, whatever temperature and filters
        made of it, forbidden tokens included. 0 where nothing was drawn.
    """
    longest = tf.maximum(tf.reduce_max(settings.max_length), 0)
    prompts = tf.pad(prompt.token_ids, [[0, 0], [0, 1]])
    noise = noise_of(settings.seed, longest)
    first = tf.fill(tf.shape(settings.seed), START_TOKEN_ID)
    state = nothing_drawn(first, longest, settings)

    def step(state: SamplingState, cache: Any) -> tuple[SamplingState, Any]:
        given = tf.gather(prompts, tf.minimum(state.time, tf.shape(prompts)[1] - 1), axis=1)
        given = tf.where(state.time < prompt.length, given, PAD_TOKEN_ID)
        state, cache = draw(next_token, state, cache, noise, settings, given)
        if is_stopped is not None:
            state = still_going(state, ~is_stopped(state.drawn))
        return state, cache

    state, _ = tf.while_loop(
        lambda state, cache: tf.reduce_any(state.going),
        step,
        (state, cache),
        shape_invariants=(SamplingState.Spec(**_SHAPES), row_invariants(cache)),
    )
    return state.drawn, tf.math.divide_no_nan(state.log_prob, tf.cast(state.num_drawn, tf.float32))


_SHAPES = {
    "time": tf.TensorSpec([], tf.int32),
    "previous": tf.TensorSpec([None], tf.int32),
    "drawn": tf.TensorSpec([None, None], tf.int32),
    "num_drawn": tf.TensorSpec([None], tf.int32),
    "log_prob": tf.TensorSpec([None], tf.float32),
    "going": tf.TensorSpec([None], tf.bool),
}


def read(next_token: NextToken, cache: Any, prompt: Prompt) -> tuple[tf.Tensor, Any]:
    """Reads [START] and prompts but for their last token, which the first draw reads.

    Args:
        next_token: the model's step.
        cache: nest of tensors with B rows each.
        prompt: to be read.

    Returns:
        the token that is read next, int32 (B,), and the cache.
    """

    def step(time: tf.Tensor, previous: tf.Tensor, cache: Any) -> tuple[tf.Tensor, tf.Tensor, Any]:
        _, following = next_token(previous, cache)
        reads = time < prompt.length
        return time + 1, tf.where(reads, prompt.token_ids[:, time], previous), keep_rows(reads, following, cache)

    _, previous, cache = tf.while_loop(
        lambda time, *_: tf.reduce_any(time < prompt.length),
        step,
        (tf.constant(0), tf.fill(tf.shape(prompt.length), START_TOKEN_ID), cache),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None]), row_invariants(cache)),
    )
    return previous, cache


def nothing_drawn(previous: tf.Tensor, longest: int | tf.Tensor, settings: SamplingSettings) -> SamplingState:
    """The state before the first draw: the token to read next, int32 (B,), and L."""
    return SamplingState(
        time=tf.constant(0),
        previous=previous,
        drawn=tf.fill([tf.size(previous), longest], PAD_TOKEN_ID),
        num_drawn=tf.zeros_like(previous),
        log_prob=tf.zeros(tf.shape(previous)),
        going=settings.max_length > 0,
    )


def draw(
    next_token: NextToken,
    state: SamplingState,
    cache: Any,
    noise: tf.Tensor,
    settings: SamplingSettings,
    given: tf.Tensor | None = None,
) -> tuple[SamplingState, Any]:
    """One step.

    Args:
        next_token: the model's step.
        state: of all rows.
        cache: nest of tensors with B rows each.
        noise: of `noise_of`.
        settings: per-row settings.
        given: the next token of a prompt, int32 (B,), 0 for a row whose prompt is over; None: all are.

    Returns:
        both behind the step.
    """
    given = tf.zeros_like(state.previous) if given is None else given
    logits, cache = next_token(state.previous, cache)
    logits = tf.cast(logits, tf.float32)
    chosen = _choose_allowed(logits, tf.gather(noise, state.num_drawn, batch_dims=1), settings)
    return _record(state, logits, chosen, given != PAD_TOKEN_ID, given, settings), cache


def still_going(state: SamplingState, going: tf.Tensor) -> SamplingState:
    """The state with those rows alone that `going`, bool (B,), lets draw on."""
    values = {name: getattr(state, name) for name in _SHAPES}
    return SamplingState(**values | {"going": state.going & going})


def noise_of(seeds: tf.Tensor, longest: int | tf.Tensor) -> tf.Tensor:
    """A number for every draw of every row, float32 (B, `longest` + 1 or more).

    In pieces of a fixed size, so that it does not depend on what batch-mates ask for; one more than there are draws,
    because a row that is done is asked for its next one, too.
    """
    pieces = tf.map_fn(
        lambda piece: uniform_noise(seeds, piece),
        tf.range(longest // PIECE + 1),
        fn_output_signature=tf.TensorSpec([PIECE, None], tf.float32),
    )
    return tf.transpose(tf.reshape(pieces, [-1, tf.shape(seeds)[0]]))


def _choose_allowed(logits: tf.Tensor, noise: tf.Tensor, settings: SamplingSettings) -> tf.Tensor:
    allowed = forbid(logits)
    drawn = choose(allowed, noise, settings.temperature, settings.top_k, settings.top_p)
    # A draw at no temperature could still fall on either side of all but equal tokens.
    return tf.where(settings.temperature > 0, drawn, tf.argmax(allowed, axis=-1, output_type=tf.int32))


def _record(
    state: SamplingState,
    logits: tf.Tensor,
    chosen: tf.Tensor,
    in_prompt: tf.Tensor,
    given: tf.Tensor,
    settings: SamplingSettings,
) -> SamplingState:
    """Takes the next token of every row, from its prompt or as chosen; all (B,) but the logits, float32 (B, V)."""
    draws = state.going & ~in_prompt
    is_end = chosen == END_TOKEN_ID
    num_drawn = state.num_drawn + tf.cast(draws, tf.int32)
    place = tf.range(tf.shape(state.drawn)[1]) == state.num_drawn[:, tf.newaxis]
    written = place & (draws & ~is_end)[:, tf.newaxis]
    log_prob = tf.gather(tf.nn.log_softmax(logits), chosen, batch_dims=1)
    return SamplingState(
        time=state.time + 1,
        previous=tf.where(in_prompt, given, chosen),
        drawn=tf.where(written, chosen[:, tf.newaxis], state.drawn),
        num_drawn=num_drawn,
        log_prob=state.log_prob + tf.where(draws, log_prob, 0.0),
        going=state.going & ~(draws & (is_end | (num_drawn >= settings.max_length))),
    )
