"""Fuzzed HTTP requests: legal ones of every address, then changed or broken."""

import base64
import gzip
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np

from tests.serving.fuzz import json_mutation, models, values

_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "get", "FOO", "A-B")
_PAGES = ("/healthz", "/readyz", "/readyz/line", "/readyz/none", "/seqline/models", "/openapi.json", "/", "/v1", "/x")
_TAILS = ("", "/metadata", "/METADATA", "/versions/1", "/labels/stable", "/labels/none", "/versions/1/metadata")
_HEADERS = (
    ("Content-Type", "text/plain"),
    ("Content-Type", "application/json; charset=utf-16"),
    ("Content-Type", "\xff/\xfe"),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "deflate, br"),
    ("Accept", "text/html"),
    ("Accept-Encoding", "gzip"),
    ("Origin", "http://elsewhere.example"),
    ("Authorization", "Bearer nothing"),
    ("Expect", "100-continue"),
    ("Expect", "200-maybe"),
    ("Range", "bytes=0-1"),
    ("X-Long", "y" * 5000),
    ("Upgrade", "websocket"),
    ("Cookie", "a=b; c=\x80"),
)


@dataclass(frozen=True)
class RestCase:
    """A request.

    Attributes:
        method: HTTP method.
        target: Path and query, as sent.
        headers: Names and values, without the length of the body.
        body: Content, as sent.
        broken: Bytes to send in place of what the other fields say: no HTTP, or hardly; empty for a proper request.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    broken: bytes = field(default=b"", repr=False)

    @property
    def data(self) -> bytes:
        """What goes over the wire."""
        return self.broken or self.proper

    @property
    def proper(self) -> bytes:
        """The request as HTTP wants it."""
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


def rest_case(rng: random.Random) -> RestCase:
    """Any request."""
    if rng.random() < 0.15:
        case = RestCase("GET", _changed_target(_read_target(rng), rng), _headers(rng))
    else:
        case = _call(rng)
    if rng.random() < 0.05:
        case = RestCase(rng.choice(_METHODS), case.target, case.headers, case.body)
    if rng.random() < 0.04:
        return RestCase(case.method, case.target, case.headers, case.body, _break(case.proper, rng))
    return case


def _call(rng: random.Random) -> RestCase:
    """A request for an answer of a model."""
    model, verb, document = _document(rng)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        document = json_mutation.mutate(document, rng)
    body = json_mutation.write(document, rng)
    if rng.random() < 0.1:
        body = values.damage(body, rng)
    headers = _headers(rng)
    if rng.random() < 0.1:
        body, headers = _pack(body, rng), (*headers, ("Content-Encoding", rng.choice(("gzip", "x-gzip, gzip"))))
    version = rng.choice((*[""] * 14, "/versions/1", "/versions/01", "/labels/stable", "/versions/7", "/labels/none"))
    return RestCase("POST", _changed_target(f"/v1/models/{model}{version}:{verb}", rng), headers, body)


def _document(rng: random.Random) -> tuple[str, str, Any]:
    """Model, verb and JSON of a legal request."""
    verb = rng.choice(("predict", "predict", "predict", "classify", "regress"))
    if verb == "predict":
        call = models.predict_call(rng)
        return call.model, verb, _signed(_tensors(call.inputs, rng), call.signature)
    examples = [{"x": rng.choice((1.5, 0.25, [2.5], 3))} for _ in range(rng.randint(1, 4))]
    document: dict[str, Any] = {"examples": examples}
    if rng.random() < 0.3:
        document["context"] = {"x": 0.5, "name": ["a", "b"], "flag": True}
    signatures = models.CLASSIFYING if verb == "classify" else models.REGRESSING
    return "examples", verb, _signed(document, rng.choice(signatures))


def _signed(document: dict[str, Any], signature: str) -> dict[str, Any]:
    return {"signature_name": signature, **document} if signature else document


def _tensors(inputs: models.Inputs, rng: random.Random) -> dict[str, Any]:
    plain = {alias: _plain(array, rng) for alias, array in inputs.items()}
    if rng.random() < 0.5:
        return {"inputs": next(iter(plain.values())) if len(plain) == 1 and rng.random() < 0.5 else plain}
    columns = [column if isinstance(column, list) else [column] for column in plain.values()]
    return {"instances": [dict(zip(plain, row, strict=True)) for row in zip(*columns, strict=True)]}


def _plain(array: np.ndarray, rng: random.Random) -> Any:
    """The array as JSON knows it."""
    if array.dtype.kind == "O":
        as_base64 = rng.random() < 0.5
        flat = [
            {"b64": base64.b64encode(one).decode()} if as_base64 else one.decode("utf-8", "replace")
            for one in array.flat
        ]
        holder = np.empty(len(flat), dtype=object)
        holder[:] = flat
        return holder.reshape(array.shape).tolist()
    return (array.real if array.dtype.kind == "c" else array).tolist()


def _read_target(rng: random.Random) -> str:
    """An address to look at."""
    if rng.random() < 0.3:
        return rng.choice(_PAGES)
    return f"/v1/models/{rng.choice(('line', 'types', 'examples', 'none'))}{rng.choice(_TAILS)}"


def _changed_target(target: str, rng: random.Random) -> str:
    if rng.random() < 0.85:
        return target
    at = rng.randint(1, len(target))
    head, tail = target[:at], target[at:]
    odd = quote(values.text(rng), safe=rng.choice(("", "/:?#%&=")), errors="replace")
    choices = (
        head + odd + tail,
        target + rng.choice(("/", "?", "?a=b", "#part", "%", "%zz", "%00", "%ff", ":predict", "/versions/1")),
        target.swapcase(),
        target.replace("/versions/1", f"/versions/{rng.choice(('9' * 19, '9' * 40, '-1', '', '1.0', '0' * 30 + '1'))}"),
        head + rng.choice(("//", "/../", "\xe9", "\\", "|", '"', "<", ";")) + tail,
        "http://127.0.0.1" + target,
        "*",
    )
    return rng.choice(choices)


def _headers(rng: random.Random) -> tuple[tuple[str, str], ...]:
    return tuple(rng.sample(_HEADERS, rng.choice((0, 0, 0, 0, 1, 2))))


def _pack(body: bytes, rng: random.Random) -> bytes:
    packed = gzip.compress(body if rng.random() < 0.9 else body + b" " * 2**20, 1, mtime=0)
    return packed if rng.random() < 0.6 else values.damage(packed, rng)


def _break(proper: bytes, rng: random.Random) -> bytes:
    """Bytes that are no HTTP, or hardly."""
    head, _, body = proper.partition(b"\r\n\r\n")
    length = rng.choice(
        (b"-1", b"99999999999999999999", b"1", b"0x10", b"5\r\nContent-Length: 6", str(len(body) + 9).encode())
    )
    choices = (
        values.damage(head, rng) + b"\r\n\r\n" + body,
        values.damage(proper, rng),
        head.replace(b"Content-Length: ", b"Content-Length: " + length + b"\r\nX: ") + b"\r\n\r\n" + body,
        head.replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\nX: ") + b"\r\n\r\n" + _chunks(body, rng),
        head.replace(b"HTTP/1.1", rng.choice((b"HTTP/1.0", b"HTTP/9.9", b"http/1.1", b""))) + b"\r\n\r\n" + body,
        head + b"\r\nX: " + b"y" * 100_000 + b"\r\n\r\n" + body,
        head[: rng.randint(0, len(head))],
        values.noise(rng, 2000),
    )
    return rng.choice(choices)


def _chunks(body: bytes, rng: random.Random) -> bytes:
    """The body in chunks, right or with something wrong about it."""
    size = rng.choice((len(body), len(body), len(body) + 1, 2**64))
    end = rng.choice((b"0\r\n\r\n", b"0\r\n\r\n", b"", b"0\r\nA: b\r\n\r\n", b"zz\r\n"))
    return f"{size:x}\r\n".encode() + body + b"\r\n" + end
