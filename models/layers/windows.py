"""Sequences longer than what a model sees at a time, in windows that overlap by half.

N: rows, T: positions, D: width, G: positions of half a window, W: windows. Window w has positions w G to (w + 2) G - 1.
The first window says what its positions are; the others say it of their second half, so that each position sees at
least G others before it.
"""

from typing import Any

import keras
from keras import ops


class Windows:
    """How a batch is cut.

    Args:
        length: T; an int or an int scalar.
        most: positions that are seen at a time, even; no window is longer than the sequence and one.
    """

    def __init__(self, length: Any, most: int):
        self.length = length
        self.half = at_least(at_most((length + 1) // 2, most // 2), 1)
        self.number = at_least((length + self.half - 1) // self.half - 1, 1)

    def cut(self, sequence: keras.KerasTensor) -> keras.KerasTensor:
        """Any (N, T, ...) to (N W, 2 G, ...), zeros behind the end; the windows of a row stand beside each other."""
        rows, _, *rest = ops.shape(sequence)
        behind = (self.number + 1) * self.half - self.length
        padded = ops.pad(sequence, [(0, 0), (0, behind), *[(0, 0)] * len(rest)])
        blocks = ops.reshape(padded, (rows, self.number + 1, self.half, *rest))
        windows = ops.concatenate([blocks[:, :-1], blocks[:, 1:]], axis=2)
        return ops.reshape(windows, (rows * self.number, 2 * self.half, *rest))

    def join(self, windows: keras.KerasTensor) -> keras.KerasTensor:
        """What was found of each window, any (N W, 2 G, D), to what holds of each position, (N, T, D)."""
        width = ops.shape(windows)[-1]
        of_rows = ops.reshape(windows, (-1, self.number, 2 * self.half, width))
        rows = ops.shape(of_rows)[0]
        later = ops.reshape(of_rows[:, :, self.half :], (rows, self.number * self.half, width))
        return ops.concatenate([of_rows[:, 0, : self.half], later], axis=1)[:, : self.length]


def at_least(number: Any, least: int) -> Any:
    """The greater one, as `at_most` gives the lesser."""
    return max(number, least) if isinstance(number, int) else ops.maximum(number, least)


def at_most(number: Any, most: int) -> Any:
    """The lesser one; an int of ints, so that shapes that are known stay known."""
    return min(number, most) if isinstance(number, int) else ops.minimum(number, most)
