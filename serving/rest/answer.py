"""What goes back over HTTP."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from serving.errors import ServingError
from serving.rest.status import http_status

JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """An HTTP response.

    Attributes:
        status: Status code.
        body: Content.
        content_type: Its type; empty for none.
        headers: Further headers.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamedAnswer:
    """An HTTP response whose content comes in pieces.

    Attributes:
        pieces: Content; closed where nobody reads it any more.
        content_type: Its type.
        headers: Further headers.
        status: Status code.
    """

    pieces: AsyncGenerator[bytes, None]
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200


def of_json(value: Any, status: int = 200) -> Answer:
    """A JSON document; bytes of a request that were no UTF-8 go back as they came."""
    return Answer(status, json.dumps(value, indent=4, ensure_ascii=False).encode(errors="surrogateescape"))


def of_error(error: ServingError) -> Answer:
    """What went wrong, in TensorFlow Serving's form."""
    return of_json({"error": str(error)}, http_status(error))


def of_message(message: Message) -> Answer:
    """A message as JSON: its own field names, defaults included, one space of indentation."""
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=1
    )
    return Answer(200, text.encode())


def as_dict(message: Message) -> dict[str, Any]:
    """A message as plain values: its own field names, defaults included."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
