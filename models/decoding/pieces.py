"""Long sequences, piece by piece, each piece compiled by XLA: for decoders whose single step is small.

A loop of the graph around 500 steps costs more than the steps; compiled as one they are five times as fast on a
processor. B: batch, T: time, V: values of an element.
"""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from models.decoding.choice import choose
from models.decoding.next_token import NextToken, row_invariants
from models.decoding.noise import PIECE, uniform_noise
from models.xla import is_xla_available

# What makes the step of a piece, from the conditions of this piece.
MakeNextToken = Callable[[Any], NextToken]


def _as_it_is(cache: Any) -> Any:
    return cache


class Pieces(tf.Module):
    """Draws sequences of given lengths; there is no end token, and every value may be drawn.

    Keep one for each decoder (an attribute of its signatures): what is compiled belongs to it.

    Args:
        make_next_token: called inside a piece with its conditions (see `draw`), outside the loop, so that weights are
            read and brought into form once a piece. Its result goes from carry to carry.
        enter: brings a cache into the layout of the carry, at the beginning of each piece. A cache has B rows in every
            tensor; a carry need not (time first, say, and what is the same for all rows as a scalar).
        leave: brings the carry back, at the end of each piece.
    """

    def __init__(
        self,
        make_next_token: MakeNextToken,
        enter: Callable[[Any], Any] = _as_it_is,
        leave: Callable[[Any], Any] = _as_it_is,
    ):
        super().__init__(name="pieces")
        self._make_next_token = make_next_token
        self._enter = enter
        self._leave = leave

    def draw(
        self,
        first: tf.Tensor,
        cache: Any,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        length: tf.Tensor,
        conditions: Any = (),
    ) -> tf.Tensor:
        """Draws `length` elements of every row.

        Args:
            first: what stands before the first element, int32 (B,).
            cache: nest of tensors with B rows each, before the first step.
            temperature: float32 (B,), as for `models.decoding.choice.choose`.
            seed: int32 (B,); the same seed gives the same elements, whatever is asked beside it.
            length: int32 scalar.
            conditions: nest of tensors (B, T, ...) that steer each step, zeros behind T; (B, 1, ...), with the 1 known
                to the graph, steers all steps. A piece is given its own part, (B, PIECE or 1, ...): the step at `time`,
                counted from 0 over all pieces, has place `time % tf.shape(part)[1]` in it.

        Returns:
            int32 (B, `length`).
        """
        rows = tf.shape(first)[0]
        num_pieces = -(-length // PIECE)
        # XLA compiles anew for every number of rows: rounded up to powers of two there are few.
        missing = _next_power_of_two(rows) - rows
        first, cache, temperature, seed, conditions = tf.nest.map_structure(
            lambda tensor: _pad(tensor, 0, missing), (first, cache, temperature, seed, conditions)
        )
        conditions = tf.nest.map_structure(lambda tensor: _whole_pieces(tensor, num_pieces), conditions)

        def draw_with(piece: Any) -> tf.Tensor:
            return _draw_pieces(piece, first, cache, temperature, seed, num_pieces, conditions)

        # Asked once, because the question takes its time.
        drawn = tf.cond(is_xla_available(), lambda: draw_with(self._compiled_piece), lambda: draw_with(self._piece))
        return drawn[:rows, :length]

    @tf.function(jit_compile=True)
    def _compiled_piece(self, *arguments: Any) -> tuple[Any, tf.Tensor, tf.Tensor]:
        return self._piece(*arguments)

    def _piece(
        self, cache: Any, last: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor, conditions: Any
    ) -> tuple[Any, tf.Tensor, tf.Tensor]:
        next_token = self._make_next_token(conditions)
        carry, last, drawn = draw_piece(next_token, self._enter(cache), last, noise, temperature)
        return self._leave(carry), last, drawn


def draw_piece(
    next_token: NextToken, carry: Any, last: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor
) -> tuple[Any, tf.Tensor, tf.Tensor]:
    """Draws PIECE elements.

    Args:
        next_token: predicts the next element.
        carry: of `next_token`.
        last: the element before, int32 (B,).
        noise: of `uniform_noise`.
        temperature: float32 (B,).

    Returns:
        carry, last element, and the elements int32 (PIECE, B).
    """

    def body(index: tf.Tensor, carry: Any, last: tf.Tensor, drawn: tf.Tensor) -> Any:
        logits, carry = next_token(last, carry)
        last = choose(logits, noise[index], temperature)
        return index + 1, carry, last, tf.tensor_scatter_nd_update(drawn, [[index]], last[tf.newaxis])

    drawn = tf.zeros([PIECE, tf.shape(last)[0]], tf.int32)
    _, carry, last, drawn = tf.while_loop(
        lambda index, *_: index < PIECE, body, (0, carry, last, drawn), maximum_iterations=PIECE
    )
    return carry, last, drawn


def _draw_pieces(
    piece: Any,
    first: tf.Tensor,
    cache: Any,
    temperature: tf.Tensor,
    seed: tf.Tensor,
    num_pieces: tf.Tensor,
    conditions: Any,
) -> tf.Tensor:
    """Elements int32 (B, num_pieces * PIECE)."""

    def body(index: tf.Tensor, cache: Any, last: tf.Tensor, drawn: tf.TensorArray) -> Any:
        noise = uniform_noise(seed, index)
        of_piece = tf.nest.map_structure(lambda tensor: _part(tensor, index), conditions)
        cache, last, elements = piece(cache, last, noise, temperature, of_piece)
        return index + 1, cache, last, drawn.write(index, elements)

    drawn = tf.TensorArray(tf.int32, num_pieces, element_shape=[PIECE, None])
    *_, drawn = tf.while_loop(
        lambda index, *_: index < num_pieces,
        body,
        (0, cache, first, drawn),
        shape_invariants=(tf.TensorShape([]), row_invariants(cache), tf.TensorShape([None]), tf.TensorShape([])),
    )
    return tf.transpose(drawn.concat())


def _is_steady(conditions: tf.Tensor) -> bool:
    return conditions.shape[1] == 1


def _whole_pieces(conditions: tf.Tensor, num_pieces: tf.Tensor) -> tf.Tensor:
    """Conditions (B, T, ...) of all pieces, the last one's end included."""
    if _is_steady(conditions):
        return conditions
    needed = num_pieces * PIECE
    return _pad(conditions, 1, tf.maximum(needed - tf.shape(conditions)[1], 0))


def _part(conditions: tf.Tensor, piece: tf.Tensor) -> tf.Tensor:
    return conditions if _is_steady(conditions) else conditions[:, piece * PIECE : (piece + 1) * PIECE]


def _pad(tensor: tf.Tensor, axis: int, count: tf.Tensor) -> tf.Tensor:
    """Adds zeros behind an axis."""
    return tf.pad(tensor, [[0, count if index == axis else 0] for index in range(tensor.shape.rank)])


def _next_power_of_two(count: tf.Tensor) -> tf.Tensor:
    exponent = tf.math.ceil(tf.math.log(tf.cast(tf.maximum(count, 1), tf.float32)) / math.log(2) - 1e-3)
    return tf.cast(tf.pow(2.0, exponent), tf.int32)
