"""Changes of a JSON document that leave it JSON, and some texts that are almost JSON."""

import json
import random
import re
from typing import Any, TypeAlias

from tests.serving.fuzz import values

Json: TypeAlias = Any

_VERBATIM = re.compile(r'"<<(.*?)>>"')
_NUMBERS = (
    *("1.0", "-0", "1e400", "-1e-400", "1e5", "9223372036854775807", "9223372036854775808", "1" * 400, "0.1"),
    *("NaN", "Infinity", "-Infinity", "Inf", "-Inf"),
)
_DEPTHS = (2, 10, 62, 63, 64, 65, 500, 3000, 100_000)


def mutate(value: Json, rng: random.Random) -> Json:
    """Changes one place of a document; gives it back, or what stands in its place.

    Args:
        value: The document. Its lists and objects are changed themselves.
        rng: Decides.
    """
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return _replacement(value, rng)
    key = _place(value, rng)
    if rng.random() < 0.7:
        value[key] = mutate(value[key], rng)
    elif rng.random() < 0.3:
        del value[key]
    elif isinstance(value, dict):
        value[values.text(rng)] = value.pop(key) if rng.random() < 0.5 else leaf(rng)
    else:
        value.extend([value[key]] * rng.choice((1, 2, 100)) if rng.random() < 0.5 else [leaf(rng)])
    return value


def _place(value: dict[str, Json] | list[Json], rng: random.Random) -> Any:
    """A key or an index, most often of something that has an inside itself: there the deeper checks are."""
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    deep = [key for key in keys if isinstance(value[key], dict | list)]
    return rng.choice(deep if deep and rng.random() < 0.8 else keys)


def leaf(rng: random.Random) -> Json:
    """A value of any type."""
    choices = (
        None,
        rng.random() < 0.5,
        values.integer(rng, -(2**70), 2**70),
        _verbatim(rng.choice(_NUMBERS)),
        rng.choice(([], {}, [[]], [{}])),
        {"b64": rng.choice(("AAAA", "QQ==", "QQ", "*", "A", "", "ÿ", 3))},
        rng.choice(("\ud800", "\udc80x", "good\udfff")),
        values.text(rng),
        _deep(rng),
    )
    return rng.choice(choices)


def write(document: Json, rng: random.Random) -> bytes:
    """The document as bytes of one of JSON's spellings."""
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    return _VERBATIM.sub(lambda match: match[1].replace("'", '"'), text).encode("utf-8", "surrogatepass")


def _replacement(value: Json, rng: random.Random) -> Json:
    draw = rng.random()
    if draw < 0.2:
        return [value]
    return {values.text(rng): value} if draw < 0.3 else leaf(rng)


def _verbatim(text: str) -> str:
    """A value that `write` puts down as it is, with ' for ": Python's own writer has no spelling for it."""
    return f"<<{text}>>"


def _deep(rng: random.Random) -> str:
    depth = rng.choice(_DEPTHS)
    opened, closed = rng.choice((("[", "]"), ("{'x':", "}")))
    return _verbatim(opened * depth + "1" + closed * depth)
