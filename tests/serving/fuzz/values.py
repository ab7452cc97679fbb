"""Values that programs stumble over, and names that they know."""

import random

NAMES = (
    *("line", "text", "shapes", "examples", "types", "stable", "1", "signature_def", "tensorflow"),
    *("serving_default", "classify", "regress", "add", "root", "scalar", "constant", "string", "float16"),
    *("x", "y", "a", "b", "inputs", "outputs", "scores", "classes", "double", "y_bytes", "sum"),
    *("tensorflow/serving/classify", "tensorflow/serving/regress", "tensorflow/serving/predict"),
    *(":tensorflow:serving:request_count", "__saved_model_init_op"),
)
_ODD_TEXT = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "../..",
    "%s%n",
    "{0}",
    "\n",
    "a" * 3000,
    "größe",
    "日本語",
    "\U0001f600",
    "\u202e",
)
_EDGES = (0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 53, 62, 63, 64)


def text(rng: random.Random) -> str:
    """A name that is known, a string that hurts, or noise."""
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(NAMES)
    if draw < 0.9:
        return rng.choice(_ODD_TEXT)
    return "".join(chr(rng.choice((rng.randint(1, 127), rng.randint(0x80, 0xD7FF)))) for _ in range(rng.randint(1, 12)))


def integer(rng: random.Random, low: int, high: int) -> int:
    """An integer between the bounds, most often at an edge of some width."""
    if rng.random() < 0.4:
        value = rng.randint(-2, 20)
    else:
        value = rng.choice((-1, 1)) * (1 << rng.choice(_EDGES)) + rng.randint(-1, 1)
    return min(max(value, low), high)


def real(rng: random.Random) -> float:
    """A float: small, huge, tiny, or none at all."""
    return rng.choice((0.0, -0.0, 1.5, -1.0, 1e38, 1e-45, 3.4e38, float("inf"), float("-inf"), float("nan")))


def noise(rng: random.Random, longest: int = 64) -> bytes:
    """Bytes of no meaning."""
    return rng.randbytes(rng.randint(0, longest))


def damage(data: bytes, rng: random.Random) -> bytes:
    """The bytes with something broken: bits turned, parts cut out, doubled, put in or overwritten."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(0, len(out))
        end = min(len(out), start + rng.choice((1, 1, 2, 4, 16, len(out))))
        match rng.randrange(6):
            case 0 | 1:
                for position in range(start, min(end, start + 4)):
                    out[position] ^= 1 << rng.randrange(8)
            case 2:
                del out[start:end]
            case 3:
                out[start:start] = out[start:end]
            case 4:
                out[start:start] = noise(rng)
            case 5:
                out[start:end] = bytes([rng.choice((0x00, 0x7F, 0x80, 0xFF))]) * (end - start)
    return bytes(out)
