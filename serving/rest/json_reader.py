"""JSON documents as TensorFlow Serving reads them.

The first complete value counts, whatever follows it. `NaN`, `Inf` and `Infinity` are numbers. A number without a
fraction or an exponent is an int where 64 bits hold it, every other number is a float. Errors speak RapidJSON's words,
which clients of TensorFlow Serving may match on.
"""

import json
import re

from serving.core.signature import DEFAULT_SIGNATURE
from serving.errors import InvalidRequestError
from serving.rest.json_values import Json, echo, to_name

_WORDS = {
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}
_NO_DELIMITER = {
    "[": "Missing a comma or ] after an array element.",
    "{": "Missing a comma or } after an object member.",
}
_CUT_NUMBER = {".": "Miss fraction part in number.", "e": "Miss exponent in number.", "E": "Miss exponent in number."}

# A string without an end matches too: else the search would start again at each quote inside it.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_BRACKETS = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_INF = re.compile(rf"{_STRING}|\bInf\b", re.DOTALL)


def read_object(body: bytes) -> dict[str, Json]:
    """Parses the body of a request.

    Raises:
        InvalidRequestError: It is not JSON, or not an object.
    """
    if not body:
        raise InvalidRequestError("JSON Parse error: The document is empty")
    value = _parse(body)
    if not isinstance(value, dict):
        raise InvalidRequestError(f"JSON Value: {echo(value)} Is not object")
    return value


def read_signature_name(document: dict[str, Json]) -> str:
    """The signature that a request names; empty when it leaves the choice to the server.

    Raises:
        InvalidRequestError: The name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequestError(
            f"JSON Value: {echo(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return to_name(name)


def resolve_signature_name(name: str) -> str:
    """The signature to run."""
    return name or DEFAULT_SIGNATURE


def _parse(body: bytes) -> Json:
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    if "Inf" in text:
        text = _INF.sub(lambda match: "Infinity" if match[0] == "Inf" else match[0], text)
    text = text.lstrip(" \t\r\n")
    try:
        value, _ = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        words, position = _explain(error) if text else ("The document is empty.", 0)
        # Counted from the end: what was taken off or put in lies before.
        offset = len(body) - len(text[position:].encode("utf-8", "surrogateescape"))
        raise InvalidRequestError(f"JSON Parse error: {words} at offset: {offset}") from error
    except RecursionError as error:
        raise InvalidRequestError(
            "JSON Parse error: Lists and objects are nested too deep; no tensor has more than 63 dimensions"
        ) from error
    return value


def _explain(error: json.JSONDecodeError) -> tuple[str, int]:
    """What is wrong, in RapidJSON's words, and where."""
    text, position = error.doc, error.pos
    if error.msg == "Expecting ',' delimiter":
        if text[position - 1].isdigit() and text[position : position + 1] in _CUT_NUMBER:
            return _CUT_NUMBER[text[position]], position + 1
        return _NO_DELIMITER[_innermost(text, position)], position
    if error.msg.startswith("Unterminated"):
        position = len(text)
    return _WORDS.get(error.msg.rstrip(": "), "Invalid value."), position


def _innermost(text: str, position: int) -> str:
    """The bracket that is open at a position."""
    opened: list[str] = []
    for match in _BRACKETS.finditer(text, 0, position):
        if match[0] in "[{":
            opened.append(match[0])
        elif match[0] in "]}":
            opened.pop()
    return opened[-1]


def _read_int(digits: str) -> int | float:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20:
        return float(digits)
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(value)


_DECODER = json.JSONDecoder(parse_int=_read_int)
