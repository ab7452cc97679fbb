"""Bodies that come packed."""

import zlib

from serving.errors import ResourceExhaustedError

_GZIP = 31  # zlib's word for a header of gzip


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
    parts, rest, room = [], body, limit
    try:
        while rest:  # several members after each other are one content
            inflater = zlib.decompressobj(wbits=_GZIP)
            parts.append(inflater.decompress(rest, room + 1))
            room -= len(parts[-1])
            if room < 0:
                raise too_large(limit)
            if not inflater.eof:
                return b""
            rest = inflater.unused_data.lstrip(b"\0")
    except zlib.error:
        return b""
    return b"".join(parts)


def too_large(limit: int) -> ResourceExhaustedError:
    """The error of a body over the limit."""
    return ResourceExhaustedError(
        f"the request is larger than {limit} bytes, the limit of this server (serving.rest.max_body_bytes); send less "
        "at once, or use gRPC"
    )
