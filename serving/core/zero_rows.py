"""Requests without rows, for models whose ops fail on them: no rows in, no rows out."""

import math
from collections.abc import Sequence

import numpy as np

# Elements of a blank row: a shape costs its sender nothing, whatever it says.
_MOST_ELEMENTS = 2**20


def is_without_rows(arrays: Sequence[np.ndarray]) -> bool:
    """Whether a request has rows, and none of them, and one would be of bearable size."""
    none = bool(arrays) and all(array.ndim and not len(array) for array in arrays)
    return none and sum(math.prod(array.shape[1:]) for array in arrays) <= _MOST_ELEMENTS


def blank_row(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Inputs of one row: zeros, and empty strings."""
    return [np.full((1, *array.shape[1:]), b"" if array.dtype == object else 0, array.dtype) for array in arrays]


def without_row(outputs: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """The outputs of one row without it; None where they have other rows than the inputs."""
    if any(output.ndim == 0 or len(output) != 1 for output in outputs):
        return None
    return [output[:0] for output in outputs]
