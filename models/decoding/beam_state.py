"""What goes round the loop of beam search.

B: batch, K: beams, L: longest target, S: source positions.
"""

from typing import Any

import tensorflow as tf

from models.decoding.next_token import IMPOSSIBLE, row_invariants
from models.tokenizers.special import PAD_TOKEN_ID, START_TOKEN_ID


class BeamState(tf.experimental.ExtensionType):
    """Targets, unfinished and finished.

    Attributes:
        length: tokens decoded so far.
        alive: token ids of unfinished targets, [START] first; int32 (B, K, L + 2).
        alive_log_probs: float32 (B, K), log P(Y|X).
        attended: float32 (B, K, S), the attention that each source position got from all tokens of an unfinished
            target; S is 0 where coverage does not count.
        finished: token ids of finished targets; int32 (B, K, L + 2).
        finished_scores: float32 (B, K), with length and coverage penalty.
        finished_log_probs: float32 (B, K), mean of a token.
    """

    length: tf.Tensor
    alive: tf.Tensor
    alive_log_probs: tf.Tensor
    attended: tf.Tensor
    finished: tf.Tensor
    finished_scores: tf.Tensor
    finished_log_probs: tf.Tensor


def start(batch_size: tf.Tensor, num_beams: tf.Tensor, longest: tf.Tensor, source_length: tf.Tensor) -> BeamState:
    """The state before the first token: one real beam, which holds [START]."""
    tokens = tf.fill([batch_size, num_beams, longest + 2], PAD_TOKEN_ID)
    first = tf.one_hot(0, longest + 2, on_value=START_TOKEN_ID, off_value=PAD_TOKEN_ID, dtype=tf.int32)
    impossible = tf.fill([batch_size, num_beams], IMPOSSIBLE)
    only_first = tf.where(tf.range(num_beams) == 0, 0.0, IMPOSSIBLE)
    return BeamState(
        length=tf.constant(0),
        alive=tokens + first,
        alive_log_probs=tf.broadcast_to(only_first, [batch_size, num_beams]),
        attended=tf.zeros([batch_size, num_beams, source_length]),
        finished=tokens,
        finished_scores=impossible,
        finished_log_probs=impossible,
    )


def replace(state: BeamState, **changes: tf.Tensor) -> BeamState:
    """The state with other values of some attributes."""
    return BeamState(**({name: getattr(state, name) for name in BeamState.__annotations__} | changes))


def invariants(state: BeamState, cache: Any) -> tuple[Any, Any]:
    """Shapes of state and cache in the loop."""

    def loose(tensor: tf.Tensor) -> tf.TensorSpec:
        return tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype)

    loose_state = BeamState.Spec(
        **{name: loose(getattr(state, name)) for name in BeamState.__annotations__ if name != "length"},
        length=tf.TensorSpec([], tf.int32),
    )
    return loose_state, row_invariants(cache)
