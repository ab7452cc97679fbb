"""Requests without rows, for models whose ops fail on them: no rows in, no rows out."""

from collections.abc import Sequence

import numpy as np


def is_without_rows(arrays: Sequence[np.ndarray]) -> bool:
    """Whether a request has rows, and none of them."""
    return bool(arrays) and all(array.ndim and not len(array) for array in arrays)


def blank_row(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Inputs of one row: zeros, and empty strings."""
    return [np.full((1, *array.shape[1:]), b"" if array.dtype == object else 0, array.dtype) for array in arrays]


def without_row(outputs: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """The outputs of one row without it; None where they have other rows than the inputs."""
    if any(output.ndim == 0 or len(output) != 1 for output in outputs):
        return None
    return [output[:0] for output in outputs]
