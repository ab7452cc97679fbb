"""Files inside a page."""

import base64


def data_uri(content: bytes, kind: str) -> str:
    """Content of a MIME type as text that a page can hold."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def from_data_uri(uri: str) -> bytes:
    """The content again."""
    return base64.b64decode(uri.partition(",")[2])
