"""Values of a parsed JSON document: their names, how errors show them, and the bytes that their strings mean.

Strings may carry surrogate escapes (`surrogateescape`) for bytes that are not UTF-8: the parser lets them through, as
TensorFlow Serving does.
"""

import base64
import json
from typing import Any, TypeAlias

from serving.errors import InvalidRequestError

# None, bool, int, float, str, list or dict, nested.
Json: TypeAlias = Any

_ECHO_BYTES = 256
_TYPE_NAMES: dict[type, str] = {type(None): "Null", dict: "Object", list: "Array", str: "String"}
_PRETTY = json.JSONEncoder(indent=4, ensure_ascii=False)


def echo(value: Json) -> str:
    """The value as an error message shows it: pretty-printed, cut at 256 bytes."""
    text = ""
    # Piece by piece and no further than needed: whole, a deep value would exhaust the stack, a large one the time.
    for piece in _PRETTY.iterencode(value):
        text += piece
        if len(text) >= _ECHO_BYTES:
            break
    return text.encode("utf-8", "replace")[:_ECHO_BYTES].decode("utf-8", "ignore")


def type_name(value: Json) -> str:
    """JSON's name for the type of a value: Null, False, True, Object, Array, String or Number."""
    if isinstance(value, bool):
        return str(value)
    return _TYPE_NAMES.get(type(value), "Number")


def to_bytes(text: str) -> bytes:
    """The bytes of a JSON string: UTF-8, or whatever the client sent in its place.

    Raises:
        InvalidRequestError: An escape names half of a surrogate pair.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise InvalidRequestError("JSON Parse error: The surrogate pair in string is invalid.") from error


def to_name(text: str) -> str:
    """A JSON string as a name: legal Unicode, with question marks for what is not."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_base64(value: Json) -> bool:
    """Whether a value is an object that means bytes: {"b64": "<text>"} and no other key."""
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def read_base64(value: Json) -> bytes:
    """The bytes that an object means.

    Raises:
        InvalidRequestError: The object has another form, or its text is not base64.
    """
    if not is_base64(value):
        raise InvalidRequestError(f"JSON Value: {echo(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split())
    if not text.endswith("="):  # padding may be left out
        text += "=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidRequestError("Unable to base64 decode") from error
