"""Texts into inputs, and outputs into rows of plain values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from serving.errors import FailedPreconditionError, InvalidRequestError


def to_inputs(texts: Mapping[str, Sequence[str]], settings: Mapping[str, int | float]) -> dict[str, Any]:
    """Inputs of one request about several texts.

    Args:
        texts: Input name to texts, equally many for each.
        settings: Input name to the setting that all of them share; a float becomes float32, an int int32.

    Raises:
        InvalidRequestError: A single text stands where a list belongs.
    """
    for column in texts.values():
        if isinstance(column, str | bytes):
            raise InvalidRequestError(f"a client takes a list of texts, got the text {column!r}: write [{column!r}]")
    inputs: dict[str, Any] = {name: list(column) for name, column in texts.items()}
    rows = max(map(len, inputs.values()))
    for name, value in settings.items():
        # A leading batch dimension, as every input has: a scalar could not be merged with other requests.
        inputs[name] = np.full(rows, value, np.float32 if isinstance(value, float) else np.int32)
    return inputs


def to_rows(outputs: Mapping[str, np.ndarray], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The named outputs, row by row.

    Raises:
        FailedPreconditionError: One of them is not there.
    """
    if not outputs.keys() >= set(names):
        raise FailedPreconditionError(
            f"the model must give {', '.join(names)}, got {', '.join(sorted(outputs))}: it has another task, so call "
            "the method of that task"
        )
    return zip(*(outputs[name] for name in names), strict=True)


def real_length(padded: np.ndarray) -> int:
    """Entries of (T,) bytes before the padding, which is empty."""
    real = np.flatnonzero(padded != b"")
    return int(real[-1]) + 1 if len(real) else 0


def to_text(value: bytes) -> str:
    """A text for people, even where the model cut a character in two."""
    return value.decode(errors="replace")


def to_texts(values: np.ndarray) -> list[str]:
    """The same for (T,) bytes."""
    return [to_text(value) for value in values]


def to_scores(names: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """(K,) names to (K,) scores, in their order, padding ("" with 0) left out; of equal names the first."""
    found: dict[str, float] = {}
    for name, score in zip(names, scores, strict=True):
        if name or score:
            found.setdefault(to_text(name), float(score))
    return found


def padded(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """Rows of texts as one array (B, T) of bytes, b"" behind the last text of a row.

    Raises:
        InvalidRequestError: A single text stands where a row belongs.
    """
    for row in rows:
        if isinstance(row, str | bytes):
            raise InvalidRequestError(f"a client takes a list of tokens for each text, got the text {row!r}")
    array = np.full((len(rows), max(map(len, rows), default=0)), b"", object)
    for values, row in zip(array, rows, strict=True):
        values[: len(row)] = [text.encode() for text in row]
    return array
