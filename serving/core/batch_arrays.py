"""The arrays of several requests as one batch, and back."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

Arrays: TypeAlias = Sequence[np.ndarray]
_MAX_PADDED_RANK = 6


def shape_key(arrays: Arrays, pad: bool) -> tuple[tuple[int, ...], ...]:
    """What has to agree for arrays to share a batch: the dimensions after the first or, with padding, their number.

    Empty arrays have nothing to pad and keep to themselves.
    """
    if pad and all(array.ndim <= _MAX_PADDED_RANK and array.size for array in arrays):
        return tuple((-array.ndim,) for array in arrays)
    return tuple(array.shape[1:] for array in arrays)


def merge(requests: Sequence[Arrays], feeds: Sequence[str], pad_values: Mapping[str, object]) -> list[np.ndarray]:
    """Puts requests under each other.

    Args:
        requests: For each request, one array per feed.
        feeds: Names of the feeds.
        pad_values: Feed to the value that fills rows up to the longest, where they differ. A feed that is not named
            takes the first element of each array, as in TensorFlow Serving.
    """
    return [
        np.concatenate(_same_shape(column, pad_values.get(feed)))
        for feed, column in zip(feeds, zip(*requests, strict=True), strict=True)
    ]


def fill_up(arrays: Arrays, rows: int, allowed_sizes: Sequence[int], row: int) -> list[np.ndarray]:
    """Repeats one row until the batch has the next allowed size; the same arrays where it has, or none is larger."""
    size = next((size for size in allowed_sizes if size >= rows), rows)
    if size == rows:
        return list(arrays)
    return [np.concatenate([array, np.repeat(array[row : row + 1], size - rows, axis=0)]) for array in arrays]


def piece_sizes(rows: int, room: int, limit: int) -> list[int]:
    """Cuts a request: first what fills the open batch, then pieces of the limit, then the rest."""
    sizes = [min(rows, room)] if room else []
    while (left := rows - sum(sizes)) > 0:
        sizes.append(min(left, limit))
    return sizes


def not_splittable(outputs: Arrays, rows: int) -> str | None:
    """Why outputs cannot be given back to the requests row by row; None when they can."""
    if any(output.ndim == 0 for output in outputs):
        return "Batched output tensor has 0 dimensions"
    if any(output.shape[0] != rows for output in outputs):
        return (
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes "
            "of the input tensors"
        )
    return None


def _same_shape(arrays: Arrays, pad_value: object) -> Arrays:
    shapes = np.array([array.shape[1:] for array in arrays])
    if (shapes == shapes[0]).all():
        return arrays
    longest = shapes.max(axis=0)
    padded = []
    for array in arrays:
        fill = array.flat[0] if pad_value is None else pad_value
        full = np.full((len(array), *longest), fill, dtype=array.dtype)
        full[tuple(slice(size) for size in array.shape)] = array
        padded.append(full)
    return padded
