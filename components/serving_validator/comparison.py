"""Answers of the server beside those of the model in process."""

import dataclasses
from concurrent import futures
from typing import Any

import numpy as np

from components.errors import NotServableError
from components.serving_validator.requests import Tensors
from serving.client import Client
from serving.errors import ServingError

_TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class _Question:
    """A request, and where its rows stand among the examples."""

    rows: slice
    label: str


def compare_served(client: Client, signature: str, inputs: Tensors, expected: Tensors) -> None:
    """Asks for all examples in one request, then for each alone, all at the same time as clients do."""
    size = len(next(iter(inputs.values())))
    questions = [_Question(slice(0, size), f"{size} examples together")]
    questions += [_Question(slice(i, i + 1), f"example {i} alone") for i in range(size)]

    def ask(question: _Question) -> Tensors:
        return client.predict({name: values[question.rows] for name, values in inputs.items()}, signature)

    with futures.ThreadPoolExecutor(max_workers=8) as pool:
        answers = [pool.submit(ask, question) for question in questions]
    for question, answer in zip(questions, answers, strict=True):
        where = f"signature {signature}, {question.label}"
        try:
            received = answer.result()
        except ServingError as error:
            raise NotServableError(f"{where}: the server refused the request: {error}") from error
        wanted = {name: values[question.rows] for name, values in expected.items()}
        if difference := find_difference(wanted, received):
            raise NotServableError(f"{where}: {difference}")


def find_difference(expected: Tensors, received: Tensors) -> str:
    """Compares answers: strings and whole numbers exactly, floats to 1e-4.

    A request of one row may come back less padded than a batch; what is cut off must then be padding: "" or 0.
    Of texts with the same `score` rounding chooses one, and their order.

    Args:
        expected: outputs in process.
        received: outputs over gRPC.

    Returns:
        What differs; empty when nothing does.
    """
    if set(expected) != set(received):
        return f"outputs {sorted(received)} over gRPC, {sorted(expected)} in process"
    for name, wanted in expected.items():
        found = received[name]
        if wanted.ndim != found.ndim or len(wanted) != len(found):
            return f'output "{name}" has shape {found.shape} over gRPC, {wanted.shape} in process'
        shape = tuple(max(sizes) for sizes in zip(wanted.shape, found.shape, strict=True))
        wanted, found = _pad(wanted, shape), _pad(found, shape)
        same = (
            np.isclose(found, wanted, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
            if wanted.dtype.kind == "f"
            else found == wanted
        )
        if not np.all(same) and not _are_ties(same, expected.get("score"), received.get("score")):
            first = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
            return (
                f'output "{name}"{list(first)} is {_shown(found[first])} over gRPC, {_shown(wanted[first])} in process'
            )
    return ""


def _are_ties(same: np.ndarray, expected: np.ndarray | None, received: np.ndarray | None) -> bool:
    """Whether rounding alone may have chosen among the texts that differ.

    Each must have the score of the one in its place. Beams of a row that have the same score may stand in any order;
    beyond them fewer than half may differ, since a beam just outside the answer may tie with the last one in it.
    """
    if expected is None or received is None or not expected.shape == received.shape == same.shape:
        return False
    equal = np.isclose(received, expected, rtol=_TOLERANCE, atol=_TOLERANCE)
    return bool(np.all(same | equal) and np.mean(same | _tied(expected)) > 0.5)


def _tied(scores: np.ndarray) -> np.ndarray:
    """Where a row, whose best comes first, holds the same score right before or after."""
    tied = np.zeros(scores.shape, bool)
    if scores.ndim == 2:
        pairs = np.isclose(scores[:, 1:], scores[:, :-1], rtol=_TOLERANCE, atol=_TOLERANCE)
        tied[:, 1:] |= pairs
        tied[:, :-1] |= pairs
    return tied


def _shown(value: Any) -> str:
    return repr(value.decode("utf-8", "replace")) if isinstance(value, bytes) else f"{value:g}"


def _pad(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    padded = np.full(shape, b"" if values.dtype == object else 0, dtype=values.dtype)
    padded[tuple(slice(size) for size in values.shape)] = values
    return padded
