"""Figures as people read them."""

import math

SMALL_SLICE = 30


def number(value: float | int | str | None) -> str:
    """Four digits that count; a dash for what is undefined."""
    if value is None or isinstance(value, float) and not math.isfinite(value):
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", "\u202f")
    return f"{value:.4g}"


def finite(value: float) -> float | None:
    """The value as JSON has it."""
    return float(value) if math.isfinite(value) else None


def name_of(key: str) -> str:
    """A key without underscores."""
    return key.replace("_", " ")
