"""Masks, their polarity decided here, for every layer; and masks of dropout.

A padding mask, bool (B, T): True = a real token, False = padding. A mask of attention, bool, to be broadcast to
(B, A, T, S) for A heads, T positions that ask and S that are asked: True = may be looked at.
"""

from typing import Any

import keras
from keras import ops

from models.tokenizers.special import PAD_TOKEN_ID

# Added to scores that must not win; finite, so that neither a row without any real token nor a difference of two
# of them is NaN.
MASKED_SCORE = -1e9


def padding_mask(token_ids: keras.KerasTensor) -> keras.KerasTensor:
    """Finds the real tokens: int (B, T) to bool (B, T)."""
    return ops.not_equal(token_ids, PAD_TOKEN_ID)


def real_visible(padding_mask: keras.KerasTensor) -> keras.KerasTensor:
    """All may look at what is real: padding mask bool (B, S) to a mask of attention, bool (B, 1, 1, S)."""
    return padding_mask[:, None, None]


def past_visible(positions: keras.KerasTensor, length: Any) -> keras.KerasTensor:
    """A position may look at itself and at what stands before it.

    Args:
        positions: of what asks, int (T,), or (B, 1) for one of each row.
        length: S.

    Returns:
        a mask of attention, bool (T, S), or (B, 1, 1, S).
    """
    asking = positions[:, None] if len(positions.shape) == 1 else positions[:, None, None]
    return ops.arange(length) <= asking


def masked_mean(hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
    """Averages over real positions: float (B, T, D), bool (B, T) to float (B, D); zeros for a row without any."""
    weights = ops.expand_dims(ops.cast(padding_mask, hidden_states.dtype), -1)
    return ops.sum(hidden_states * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1)


def masked_max(hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
    """Takes the maximum over real positions: float (B, T, D), bool (B, T) to float (B, D); zeros where none is."""
    real = ops.expand_dims(padding_mask, -1)
    highest = ops.max(ops.where(real, hidden_states, ops.cast(MASKED_SCORE, hidden_states.dtype)), axis=1)
    return ops.where(ops.any(real, axis=1), highest, ops.zeros_like(highest))


class SequenceMask(keras.layers.Layer):
    """True for the real positions: lengths int (B,) and a sequence (B, T, D) to bool (B, T)."""

    def call(self, lengths: keras.KerasTensor, sequence: keras.KerasTensor) -> keras.KerasTensor:
        """Compares each position with its row's length."""
        return ops.expand_dims(ops.arange(ops.shape(sequence)[1]), 0) < ops.expand_dims(lengths, 1)


def dropout_mask(shape: Any, rate: float, seed: keras.random.SeedGenerator, dtype: str) -> keras.KerasTensor:
    """What dropout multiplies by, float: 0 with a probability of `rate`, else 1 / (1 - rate)."""
    return keras.random.dropout(ops.ones(shape, dtype), rate, seed=seed)
