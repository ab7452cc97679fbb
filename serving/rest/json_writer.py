"""JSON as TensorFlow Serving writes it: 4 spaces of indentation, its own texts for floats, strings byte for byte."""

import base64
import json
import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from serving.errors import InvalidRequestError
from serving.rest.json_tensors import dtype_name

_quote = json.JSONEncoder(ensure_ascii=False).encode
_INTEGERS = frozenset({"int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"})
_FULL_DIGITS = {"float": "{:.9g}", "double": "{:.17g}"}
# Elements written at once: no other thread runs while Python maps a list, and probes of health must not wait for it.
_PIECE = 2**12
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def indent(level: int) -> str:
    """The start of a line inside `level` objects or lists."""
    return "\n" + "    " * level


def write_document(key: str, value: str) -> bytes:
    """A document of one key, whose value is JSON already."""
    return write_object({key: value}, 0).encode("utf-8", "surrogateescape")


def write_object(members: Mapping[str, str], level: int) -> str:
    """An object of values that are JSON already, a member per line, inside `level` objects and lists."""
    lines = f",{indent(level + 1)}".join(f"{_quote(name)}: {value}" for name, value in members.items())
    return f"{{{indent(level + 1)}{lines}{indent(level)}}}"


def quote(text: bytes) -> str:
    """A string of JSON. Bytes that are not UTF-8 go to the client as they are."""
    return _quote(text.decode("utf-8", "surrogateescape"))


def write_elements(array: np.ndarray, level: int, as_base64: bool = False) -> list[str]:
    """The elements of an array, in order.

    Args:
        array: Of any shape.
        level: How many objects and lists are around an element.
        as_base64: Write strings as objects {"b64": "<base64>"}.

    Raises:
        InvalidRequestError: JSON has no form for the dtype.
    """
    name, flat = dtype_name(tf.as_dtype(array.dtype).as_datatype_enum), array.reshape(-1)
    texts: list[str] = []
    for start in range(0, len(flat), _PIECE):
        texts += _write_piece(flat[start : start + _PIECE], name, level, as_base64)
    return texts


def _write_piece(flat: np.ndarray, name: str, level: int, as_base64: bool) -> list[str]:
    if name in _FULL_DIGITS:
        return _write_floats(flat, _FULL_DIGITS[name])
    if name in _INTEGERS:
        return list(map(str, flat.tolist()))
    if name == "bool":
        return ["true" if value else "false" for value in flat.tolist()]
    if name == "string":
        values = map(bytes, flat.tolist())
        return [_wrap_base64(value, level) for value in values] if as_base64 else list(map(quote, values))
    raise InvalidRequestError(f"Failed to write JSON value for tensor type: {name}")


def nest(elements: list[str], count: int, shape: tuple[int, ...], level: int, one_line: bool = False) -> list[str]:
    """Puts the elements of `count` arrays of one shape into nested lists.

    Args:
        elements: All elements, in order.
        count: Number of arrays.
        shape: Shape of each.
        level: How many objects and lists are around an array.
        one_line: Write an array in one line rather than an element per line.

    Returns:
        One text per array.
    """
    for depth in reversed(range(len(shape))):
        size, lists = shape[depth], count * math.prod(shape[:depth])
        elements = [
            _list(elements[index * size : (index + 1) * size], level + depth, one_line) for index in range(lists)
        ]
    return elements


def write_rows(rows: list[str], own_lines: bool = False) -> str:
    """The list of a batch, directly inside a document: its end stands on a line of its own, its rows only if asked."""
    if not rows:
        return "[]"
    start, between = (indent(2), f",{indent(2)}") if own_lines else ("", ", ")
    return f"[{start}{between.join(rows)}{indent(1)}]"


def _list(elements: list[str], level: int, one_line: bool) -> str:
    if one_line or not elements:
        return f"[{', '.join(elements)}]"
    return f"[{indent(level + 1)}{f',{indent(level + 1)}'.join(elements)}{indent(level)}]"


def _write_floats(flat: np.ndarray, full: str) -> list[str]:
    values = flat.tolist()
    texts = list(map("{:g}".format, values))
    with np.errstate(over="ignore"):
        read_back = np.array(list(map(float, texts)), dtype=np.float64).astype(flat.dtype)
    for index in np.flatnonzero((read_back != flat) & np.isfinite(flat)):
        texts[index] = full.format(values[index])
    return [text if "." in text or "e" in text else _NOT_FINITE.get(text, f"{text}.0") for text in texts]


def _wrap_base64(value: bytes, level: int) -> str:
    return write_object({"b64": f'"{base64.b64encode(value).decode()}"'}, level)
