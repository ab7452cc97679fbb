"""JSON values as error messages show them, in the layout and numbers of RapidJSON's PrettyWriter.

Lists stand on one line, objects have a member per line, indented by four for each level around them.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

_BYTES = 256
# What has no short escape has a long one; what lies beyond ASCII goes as it is.
_ESCAPED = re.compile(r'["\\\x00-\x1f]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_WORDS = {None: "null", True: "true", False: "false"}


def echo(value: Any) -> str:
    """Writes a value, up to the token that passes 256 bytes, or to a number that is not finite.

    Token by token and no further than needed: whole, a deep value would exhaust the stack, a large one the time.

    Args:
        value: Parsed JSON.

    Returns:
        Text; bytes that are no UTF-8 stay in it as surrogate escapes.
    """
    text, size = [], 0
    for token in _tokens(value):
        text.append(token)
        size += len(token.encode("utf-8", "surrogateescape"))
        if size > _BYTES:
            break
    return "".join(text)


def _tokens(value: Any) -> Iterator[str]:
    """The tokens of a value, each with what stands between it and the one before."""
    levels: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    ends = [""]
    while levels:
        item = next(levels[-1], None)
        if item is None:
            levels.pop()
            yield ends.pop()
            continue
        before, value = item
        if isinstance(value, float) and not math.isfinite(value):
            yield before
            return
        if isinstance(value, dict) and value:
            inside = "\n" + "    " * len(levels)
            levels.append(_members(getattr(value, "pairs", value.items()), inside))
            ends.append(f"{inside[:-4]}}}")
            yield before + "{"
        elif isinstance(value, list) and value:
            levels.append(_elements(value))
            ends.append("]")
            yield before + "["
        else:
            yield before + _plain(value)


def _members(pairs: Iterable[tuple[str, Any]], indent: str) -> Iterator[tuple[str, Any]]:
    between = indent
    for name, value in pairs:
        yield between, name
        yield ": ", value
        between = f",{indent}"


def _elements(values: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    between = ""
    for value in values:
        yield between, value
        between = ", "


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, float):
        return _float(value)
    return "{}" if isinstance(value, dict) else str(value)  # an empty object, an empty list, an integer


def _escape(match: re.Match[str]) -> str:
    return _SHORT.get(match[0], f"\\u{ord(match[0]):04X}")


def _float(value: float) -> str:
    """The shortest digits; with an exponent from 22 digits before, and 6 zeros behind, the point on."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    if not value:
        return f"{sign}0.0"
    _, numbers, zeros = Decimal(repr(value)).normalize().as_tuple()
    digits, zeros = "".join(map(str, numbers)), int(zeros)
    point = len(digits) + zeros  # places before it
    if 0 <= zeros and point <= 21:
        return f"{sign}{digits}{'0' * zeros}.0"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1}"
