"""JSON Lines: one JSON object a line."""

import json
from collections.abc import Iterator
from typing import Any

from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, InputFile, Record, checked
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, read_lines
from models.features import Feature


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the objects of a JSON Lines file.

    Texts must be strings; labels may also be whole numbers or booleans. Of a feature that has many, a list of them.
    """
    path = file.paths[0]
    keys = {feature: context.data.columns.get(feature.name, feature.name) for feature in context.features}
    for line in read_lines(path, context.data.encoding):
        try:
            item = _parse(line)
            values = {feature.name: _value(item, key, feature) for feature, key in keys.items()}
        except _NotUsable as error:
            yield BadRecord(path, line.number, str(error))
        else:
            yield checked(values, path, line.number)


class _NotUsable(Exception):
    """Why a line is refused; never leaves this file."""


def _parse(line: Line) -> dict[str, Any]:
    if line.problem:
        raise _NotUsable(line.problem)
    if not line.text.strip():
        raise _NotUsable("the line is empty")
    try:
        item = json.loads(line.text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _NotUsable(f"not JSON: {error}") from error
    if not isinstance(item, dict):
        raise _NotUsable(f"a JSON object is needed, found {type(item).__name__}")
    return item


def _value(item: dict[str, Any], key: str, feature: Feature) -> str | list[str]:
    if key not in item:
        raise _NotUsable(f'no key "{key}"; keys there: {quoted(item)}.{did_you_mean(key, item)}')
    value = item[key]
    if not feature.facts.many:
        return _text(value, f'"{key}"', feature)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _NotUsable(f'"{key}" must be a list of strings, found {type(value).__name__}')
    return [_text(each, f'"{key}" at place {place}', feature) for place, each in enumerate(value, start=1)]


def _text(value: Any, what: str, feature: Feature) -> str:
    if value is None:
        return ""
    if feature.facts.learned == "categories" and isinstance(value, int):  # a bool is an int: true and false
        return str(value).lower()
    if not isinstance(value, str):
        raise _NotUsable(f"{what} must be a string, found {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell half a surrogate pair ("\ud83d"); UTF-8 cannot hold it.
        raise _NotUsable(f"{what} holds half of a surrogate pair") from None
    return value
