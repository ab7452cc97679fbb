"""Cron lines of five fields, as Airflow reads them."""

import re
from typing import NamedTuple


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    # What may stand for its values, from the least on.
    words: tuple[str, ...] = ()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY, _WEEKDAY = _Field("day", 1, 31), _Field("weekday", 0, 7, _WEEKDAYS)
_FIELDS = (_Field("minute", 0, 59), _Field("hour", 0, 23), _DAY, _Field("month", 1, 12, _MONTHS), _WEEKDAY)
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/0*[1-9]\d*)?", re.ASCII)
# The second Friday of a month, or its last one.
_NTH = re.compile(r"(\w+)#[1-5]|l([0-7])", re.ASCII)
_LAST_DAY = "l"


def mistake_in(line: str) -> str:
    """What is wrong in a cron line; "" if nothing is."""
    written = line.split(" ")
    if len(written) != len(_FIELDS):
        return f"has {len(written)} fields"
    for field, text in zip(_FIELDS, written, strict=True):
        if not _is_right(field, text.lower()):
            words = f" or {field.words[0]} to {field.words[-1]}" if field.words else ""
            return f'has "{text}" for the {field.name}, which goes from {field.least} to {field.most}{words}'
    return ""


def _is_right(field: _Field, text: str) -> bool:
    if text == "?":
        return field in (_DAY, _WEEKDAY)
    items = text.split(",")
    if field is _WEEKDAY and any(map(_NTH.fullmatch, items)):
        # Airflow takes such days beside one another only.
        return all((found := _NTH.fullmatch(item)) and _is_value(field, found[1] or found[2]) for item in items)
    return all(_is_item(field, item) for item in items)


def _is_item(field: _Field, item: str) -> bool:
    if item == _LAST_DAY:
        return field is _DAY
    found = _ITEM.fullmatch(item)
    return found is not None and all(_is_value(field, value) for value in found.groups() if value is not None)


def _is_value(field: _Field, value: str) -> bool:
    return value in field.words or (value.isdecimal() and field.least <= int(value) <= field.most)
