"""Bodies that come packed."""

import re
import zlib

from serving.errors import ResourceExhaustedError

_GZIP = 31  # zlib's word for a header of gzip
_SLICE = 16 << 10
_ZEROS = re.compile(rb"\0*")


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """The content of a body.

    Args:
        body: As sent.
        encoding: Its Content-Encoding; what is not gzip is taken as it is.
        limit: Largest content, in bytes.

    Returns:
        The content. What cannot be unpacked is an empty document, as TensorFlow Serving has it.

    Raises:
        ResourceExhaustedError: The content is larger.
    """
    if "gzip" not in encoding.lower():
        return body
    parts: list[bytes] = []
    position, room = 0, limit
    try:
        while position < len(body):  # several members after each other are one content
            position, member = _member(body, position, room)
            parts += member
            room -= sum(map(len, member))
            if room < 0:
                raise too_large(limit)
            position = _ZEROS.match(body, position).end()  # type: ignore[union-attr]  # none is a match too
    except (zlib.error, EOFError):
        return b""
    return b"".join(parts)


def _member(body: bytes, position: int, room: int) -> tuple[int, list[bytes]]:
    """Where a member that begins at a position ends, and its content, one byte more than there is room for at most.

    The body is read slice by slice: what stands behind a member is copied, and a body may hold very many.
    """
    inflater, parts = zlib.decompressobj(wbits=_GZIP), []
    while not inflater.eof and room >= 0:
        piece = inflater.unconsumed_tail or body[position : position + _SLICE]
        if not piece:
            raise EOFError
        if not inflater.unconsumed_tail:
            position += len(piece)
        parts.append(inflater.decompress(piece, room + 1))
        room -= len(parts[-1])
    return position - len(inflater.unused_data), parts


def too_large(limit: int) -> ResourceExhaustedError:
    """The error of a body over the limit."""
    return ResourceExhaustedError(
        f"the request is larger than {limit} bytes, the limit of this server (serving.rest.max_body_bytes); send less "
        "at once, or use gRPC"
    )
