"""JSON documents as TensorFlow Serving reads them.

The first complete value counts, whatever follows it, and the first of the members of one name. `NaN`, `Inf` and
`Infinity` are numbers. A number without a fraction or an exponent is an int where 64 bits hold it, every other number
is a float. Errors speak RapidJSON's words, which clients of TensorFlow Serving may match on.
"""

import json
import re

from serving.core.signature import DEFAULT_SIGNATURE
from serving.errors import InvalidRequestError
from serving.rest.json_echo import echo
from serving.rest.json_exact import JsonError, read_exactly, read_int, read_number
from serving.rest.json_values import Json, members_of, to_name

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# A text as far as its surrogates come in pairs.
_PAIRED = re.compile(
    r"(?:[^\\]++|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?!u[dD][89a-fA-F]).)*+", re.DOTALL
)


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
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff").lstrip(" \t\r\n")
    try:
        value, end = _DECODER.raw_decode(text)
        if not _SURROGATE.search(text) or _only_pairs(text, end):
            return value
    except (ValueError, RecursionError, OverflowError):
        pass  # wrong, or a case that Python refuses
    try:
        return read_exactly(text)
    except JsonError as error:
        # Counted from the end: what was taken off lies before.
        offset = len(body) - len(text[error.position :].encode("utf-8", "surrogateescape"))
        raise InvalidRequestError(f"JSON Parse error: {error.words} at offset: {offset}") from error


def _only_pairs(text: str, end: int) -> bool:
    paired = _PAIRED.match(text)
    return paired is not None and paired.end() >= end


# Functions in Python, which cost a little, let other threads run in between: probes of health must not wait for a large
# document.
_DECODER = json.JSONDecoder(object_pairs_hook=members_of, parse_float=read_number, parse_int=read_int)
