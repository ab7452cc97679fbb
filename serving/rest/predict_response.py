"""The JSON of a predict answer: rows (`predictions`) or columns (`outputs`), as the request came."""

from collections.abc import Mapping

import numpy as np

from serving.errors import InvalidRequestError
from serving.rest.json_writer import nest, write_document, write_elements, write_object, write_rows


def write_predictions(outputs: Mapping[str, np.ndarray], is_row: bool) -> bytes:
    """Writes an answer.

    Args:
        outputs: Output alias to array. Strings under an alias that ends in `_bytes` go as base64.
        is_row: Write an entry for each row rather than one for each output.

    Raises:
        InvalidRequestError: JSON has no form for the dtype of an output, or the outputs have no rows in common.
    """
    if not outputs:
        raise InvalidRequestError("Cannot convert empty tensor map to JSON")
    return _write_rows(outputs) if is_row else _write_columns(outputs)


def _write_columns(outputs: Mapping[str, np.ndarray]) -> bytes:
    level = 1 if len(outputs) == 1 else 2
    columns = {}
    for alias, array in outputs.items():
        elements = write_elements(array, level + array.ndim, _is_bytes(alias))
        [columns[alias]] = nest(elements, 1, array.shape, level)
    [only, *others] = columns.values()
    return write_document("outputs", write_object(columns, 1) if others else only)


def _write_rows(outputs: Mapping[str, np.ndarray]) -> bytes:
    count = _count_rows(outputs)
    level = 2 if len(outputs) == 1 else 3
    columns = {}
    for alias, array in outputs.items():
        elements = write_elements(array, level + array.ndim - 1, _is_bytes(alias))
        columns[alias] = nest(elements, count, array.shape[1:], level, one_line=True)
    [only, *others] = columns.values()
    if not others:
        return write_document("predictions", write_rows(only))
    rows = [write_object(dict(zip(columns, row, strict=True)), 2) for row in zip(*columns.values(), strict=True)]
    return write_document("predictions", write_rows(rows, own_lines=True))


def _count_rows(outputs: Mapping[str, np.ndarray]) -> int:
    count = None
    for alias, array in outputs.items():
        if not array.ndim:
            raise InvalidRequestError(f"Tensor name: {alias} has no shape information ")
        if count is not None and len(array) != count:
            raise InvalidRequestError(
                f"Tensor name: {alias} has inconsistent batch size: {len(array)} expecting: {count}"
            )
        count = len(array)
    return count or 0


def _is_bytes(alias: str) -> bool:
    return alias.endswith("_bytes")
