"""The addresses of the REST API."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from serving.errors import InvalidRequestError

# A question mark begins a query, and no address has one.
_PART = r"[^/:?]+"
_VERSION = rf"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>{_PART}))?"
_ADDRESSES = {
    "POST": re.compile(
        rf"/v1/models/(?P<name>{_PART}){_VERSION}:(?P<verb>classify|regress|predict|generate)", re.IGNORECASE | re.ASCII
    ),
    "GET": re.compile(
        rf"/v1/models(?:/(?P<name>{_PART}))?{_VERSION}(?:/(?P<verb>metadata))?", re.IGNORECASE | re.ASCII
    ),
}
_API = re.compile(r"/v1/.*", re.IGNORECASE | re.DOTALL)


class EmptyBodyError(InvalidRequestError):
    """A request that is wrong in a way that TensorFlow Serving answers without a word."""


@dataclass(frozen=True)
class Route:
    """What a request asks for.

    Attributes:
        verb: predict, classify, regress, generate, status or metadata.
        name: The model.
        version: Its version; None leaves the choice to label or server.
        label: Label of its version; empty for none.
    """

    verb: str
    name: str
    version: int | None = None
    label: str = ""


def is_api_path(path: str) -> bool:
    """Whether a path belongs to the API, be it legal or not."""
    return _API.fullmatch(path) is not None


def parse_route(method: str, raw_path_with_query: str) -> Route:
    """Reads an address.

    Args:
        method: Of HTTP, in capitals.
        raw_path_with_query: The path as sent, percent-encoded.

    Raises:
        InvalidRequestError: There is nothing at this address.
        EmptyBodyError: The version has no place in 64 bits.
    """
    address = _ADDRESSES.get(method)
    match = address.fullmatch(raw_path_with_query) if address else None
    verb = _verb(method, match) if match else None
    if not match or not verb:
        raise InvalidRequestError(f"Malformed request: {method} {raw_path_with_query}")
    if not match["name"]:
        raise InvalidRequestError("Missing model name in request.")
    return Route(verb, unquote(match["name"]), _version(match["version"]), unquote(match["label"] or ""))


def _verb(method: str, match: re.Match[str]) -> str | None:
    """The verb; the address counts in any case, but a verb only in lower case."""
    verb = match["verb"]
    if method == "GET":
        return "metadata" if verb == "metadata" else "status"
    return verb if verb.islower() else None


def _version(digits: str | None) -> int | None:
    if digits is None:
        return None
    significant = digits.lstrip("0") or "0"
    if len(significant) > 19 or int(significant) >= 2**63:
        raise EmptyBodyError(f"Failed to convert version: {digits} to numeric.")
    return int(significant)
