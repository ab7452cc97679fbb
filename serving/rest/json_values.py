"""Values of a parsed JSON document: their names, and the bytes that their strings mean.

Strings may carry surrogate escapes (`surrogateescape`) for bytes that are not UTF-8: the parser lets them through, as
TensorFlow Serving does.
"""

import base64
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from serving.errors import InvalidRequestError
from serving.rest.json_echo import echo

# None, bool, int, float, str, list or dict, nested.
Json: TypeAlias = Any

_TYPE_NAMES: dict[type, str] = {type(None): "Null", list: "Array", str: "String"}
_BASE64_SPACE = re.compile(r"[ \t\n\v\f\r]+")
_BASE64_PADDING = "=."


class Members(dict[str, Json]):
    """An object that names a member more than once: the first one counts.

    Attributes:
        pairs: All members, in order.
    """

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__()
        self.pairs = pairs
        for name, value in pairs:
            self.setdefault(name, value)


def members_of(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object of these members: a `Members` only where a name comes twice."""
    members = dict(pairs)
    return members if len(members) == len(pairs) else Members(pairs)


def all_members(value: dict[str, Json]) -> Iterable[tuple[str, Json]]:
    """The members of an object in order, those of a name that comes twice too."""
    return value.pairs if isinstance(value, Members) else value.items()


def type_name(value: Json) -> str:
    """JSON's name for the type of a value: Null, False, True, Object, Array, String or Number."""
    if isinstance(value, bool):
        return str(value)
    return "Object" if isinstance(value, dict) else _TYPE_NAMES.get(type(value), "Number")


def to_bytes(text: str) -> bytes:
    """The bytes of a JSON string: UTF-8, or whatever the client sent in its place."""
    return text.encode("utf-8", "surrogateescape")


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
    text = _BASE64_SPACE.sub("", value["b64"])
    digits = text.rstrip(_BASE64_PADDING)
    missing = -len(digits) % 4
    try:
        if len(text) - len(digits) not in (0, missing):  # padding is left out, or right
            raise ValueError("wrong padding")
        return base64.b64decode(digits + "=" * missing, validate=True)
    except ValueError as error:
        raise InvalidRequestError("Unable to base64 decode") from error
