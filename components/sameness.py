"""When two answers of a model are the same: one rule, for the server's validation, notebooks and tests."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Input or output name -> values, batch first.
Tensors = dict[str, np.ndarray]

# What rounding may change: sums are added up in another order on another number of rows.
_TOLERANCE = 1e-4


class Difference(NamedTuple):
    """Where two answers differ.

    Attributes:
        text: what differs, for people.
        row: the first row that does; None where it is the whole answer.
    """

    text: str
    row: int | None = None


def find_difference(
    expected: Tensors, received: Tensors, here: str = "in process", there: str = "over gRPC"
) -> Difference | None:
    """Compares answers: strings and whole numbers exactly, floats to 1e-4.

    A request of one row may come back less padded than a batch; what is cut off must then be padding: "" or 0.
    Of texts with the same `score` rounding chooses one, and their order.

    Args:
        expected: outputs as they should be.
        received: outputs to judge.
        here: where `expected` comes from, in words.
        there: where `received` comes from, in words.

    Returns:
        The first difference; None where there is none.
    """
    if set(expected) != set(received):
        return Difference(f"outputs {sorted(received)} {there}, {sorted(expected)} {here}")
    for name, wanted in expected.items():
        found = received[name]
        if wanted.ndim != found.ndim or len(wanted) != len(found):
            return Difference(f'output "{name}" has shape {found.shape} {there}, {wanted.shape} {here}')
        shape = _common_shape([wanted, found])
        wanted, found = _pad(wanted, shape), _pad(found, shape)
        same = _is_close(found, wanted) if wanted.dtype.kind == "f" else found == wanted
        if not np.all(same) and not _are_ties(same, expected.get("score"), received.get("score")):
            first = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
            place = f'output "{name}"{list(first)}'
            text = f"{place} is {_shown(found[first])} {there}, {_shown(wanted[first])} {here}"
            return Difference(text, first[0])
    return None


def stack(answers: Sequence[Tensors]) -> Tensors:
    """Puts answers to requests of one row under each other, padded to the longest of them.

    Only together they show whether ties explain what differs: one text alone that differs is no coincidence.

    Raises:
        ValueError: they have different outputs.
    """
    names = {frozenset(answer) for answer in answers}
    if len(names) > 1:
        raise ValueError(f"not all answers have the same outputs: {', '.join(str(sorted(each)) for each in names)}")
    stacked = {}
    for name in answers[0]:
        values = [answer[name] for answer in answers]
        shape = _common_shape(values)
        stacked[name] = np.concatenate([_pad(each, (len(each), *shape[1:])) for each in values])
    return stacked


def _are_ties(same: np.ndarray, expected: np.ndarray | None, received: np.ndarray | None) -> bool:
    """Whether rounding alone may have chosen among the texts that differ.

    Each must have the score of the one in its place. Beams of a row that have the same score may stand in any order;
    beyond them fewer than half may differ, since a beam just outside the answer may tie with the last one in it.
    """
    if expected is None or received is None or not expected.shape == received.shape == same.shape:
        return False
    return bool(np.all(same | _is_close(received, expected)) and np.mean(same | _tied(expected)) > 0.5)


def _tied(scores: np.ndarray) -> np.ndarray:
    """Where a row, whose best comes first, holds the same score right before or after."""
    tied = np.zeros(scores.shape, bool)
    if scores.ndim == 2:
        pairs = _is_close(scores[:, 1:], scores[:, :-1])
        tied[:, 1:] |= pairs
        tied[:, :-1] |= pairs
    return tied


def _is_close(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.isclose(found, wanted, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)


def _shown(value: Any) -> str:
    return repr(value.decode("utf-8", "replace")) if isinstance(value, bytes) else f"{value:g}"


def _common_shape(arrays: Sequence[np.ndarray]) -> tuple[int, ...]:
    return tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))


def _pad(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    padded = np.full(shape, b"" if values.dtype == object else 0, dtype=values.dtype)
    padded[tuple(slice(size) for size in values.shape)] = values
    return padded
