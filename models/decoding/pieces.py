"""Sampling of long sequences in pieces that XLA compiles.

N: rows that are decoded together, V: values of an element.
"""

import math
from typing import Any, Protocol

import tensorflow as tf

from models.decoding.next_token import NextToken
from models.decoding.sampling import PIECE, sample_piece, uniform_noise
from models.xla import is_xla_available


class DecodesInPieces(Protocol):
    """A decoder that may lay out its cache anew for each piece."""

    def enter_piece(self, cache: Any, length: int) -> Any:
        """The cache, N rows each, to what goes round the loop of the next `length` elements."""

    def leave_piece(self, carry: Any, cache: Any) -> Any:
        """Back again: what has gone round the loop, and the cache of before the piece, to the cache after it."""

    def next_in_piece(self) -> NextToken:
        """One step over what `enter_piece` gives; what all steps share, such as weights, is read here, once."""


class Pieces(tf.Module):
    """Draws sequences piece by piece.

    Args:
        decoder: predicts the elements.
    """

    def __init__(self, decoder: DecodesInPieces):
        super().__init__(name="pieces")
        self.decoder = decoder

    @staticmethod
    def rounded_up(length: tf.Tensor) -> tf.Tensor:
        """Length of the whole pieces that a sequence takes."""
        return -(-length // PIECE) * PIECE

    def sample(
        self, cache: Any, first: tf.Tensor, temperature: tf.Tensor, seed: tf.Tensor, length: tf.Tensor
    ) -> tf.Tensor:
        """Draws sequences; a row depends on its own seed and settings alone.

        Args:
            cache: of the decoder's `start` for N rows and `rounded_up(length)` elements.
            first: the element before the sequence, int32 (N,).
            temperature: float (N,); 0 takes the most probable.
            seed: int (N,).
            length: int32 scalar, elements wanted.

        Returns:
            int32 (N, length).
        """
        rows = tf.shape(first)[0]
        # XLA compiles anew for every number of rows: rounded up to powers of two there are few.
        missing = _next_power_of_two(rows) - rows
        cache, first, temperature, seed = tf.nest.map_structure(
            lambda tensor: tf.pad(tensor, [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1)),
            (cache, first, temperature, seed),
        )

        def draw(piece: Any) -> tf.Tensor:
            return self._draw(piece, cache, first, temperature, seed, -(-length // PIECE))

        # Compiled it is five times as fast on a processor; asked once, because the question takes its time.
        drawn = tf.cond(is_xla_available(), lambda: draw(self._compiled_piece), lambda: draw(self._piece))
        return drawn[:rows, :length]

    def _draw(
        self,
        piece: Any,
        cache: Any,
        first: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        num_pieces: tf.Tensor,
    ) -> tf.Tensor:
        def body(index: tf.Tensor, cache: Any, last: tf.Tensor, pieces: tf.TensorArray) -> Any:
            carry = self.decoder.enter_piece(cache, PIECE)
            carry, last, drawn = piece(carry, last, uniform_noise(seed, index), temperature)
            return index + 1, self.decoder.leave_piece(carry, cache), last, pieces.write(index, drawn)

        empty = tf.TensorArray(tf.int32, num_pieces, element_shape=[PIECE, None])
        _, _, _, pieces = tf.while_loop(lambda index, *_: index < num_pieces, body, (0, cache, first, empty))
        return tf.transpose(pieces.concat())

    @tf.function(jit_compile=True)
    def _compiled_piece(self, *arguments: Any) -> tuple[Any, tf.Tensor, tf.Tensor]:
        return self._piece(*arguments)

    def _piece(
        self, carry: Any, last: tf.Tensor, noise: tf.Tensor, temperature: tf.Tensor
    ) -> tuple[Any, tf.Tensor, tf.Tensor]:
        return sample_piece(self.decoder.next_in_piece(), carry, last, noise, temperature)


def _next_power_of_two(count: tf.Tensor) -> tf.Tensor:
    exponent = tf.math.ceil(tf.math.log(tf.cast(tf.maximum(count, 1), tf.float32)) / math.log(2) - 1e-3)
    return tf.cast(tf.pow(2.0, exponent), tf.int32)
