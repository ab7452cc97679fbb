"""JSON Lines: one JSON object a line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.partitions import partitions_of
from components.example_gen.records import BadRecord, InputFile, Record, checked, told
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, full_lines
from models.features import Feature

# Python turns no more digits into a number; as numbers such are of no use here.
_MOST_DIGITS = 4000


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the objects of a JSON Lines file.

    Texts must be strings; labels may also be whole numbers or booleans. Of a feature that has many, a list of them.

    Raises:
        DataError: if the file is one JSON array.
    """
    path = file.paths[0]
    keys = {feature: context.data.columns.get(feature.name, feature.name) for feature in context.features}
    given = partitions_of(path)
    for number, line in enumerate(full_lines(path, context)):
        if number == 0 and not line.problem:
            _check_no_array(line.text, path)
        try:
            item = {**given, **_parse(line, keys.values())}
            values = {feature.name: _value(item, key, feature) for feature, key in keys.items()}
        except _NotUsable as error:
            yield BadRecord(path, line.number, str(error))
        else:
            yield checked(values, path, line.number, context.may_be_empty)


class _NotUsable(Exception):
    """Why a line is refused; never leaves this file."""


def _check_no_array(text: str, path: str) -> None:
    if text.strip() == "[" or text.lstrip().startswith("[{"):
        raise DataError(
            f"{path}: the file is one JSON array; JSON Lines has an object a line. "
            "Convert it: jq -c '.[]' FILE > NEW_FILE."
        )


def _parse(line: Line, keys: Any) -> dict[str, Any]:
    if line.problem:
        raise _NotUsable(line.problem)
    try:
        item = json.loads(line.text, parse_int=_whole_number)
    except (ValueError, RecursionError) as error:
        raise _NotUsable(f"not JSON: {error if isinstance(error, json.JSONDecodeError) else told(error)}") from error
    if not isinstance(item, dict):
        raise _NotUsable(f"a JSON object is needed, found {type(item).__name__}")
    for key in keys:
        # As a key is mostly written; the parser itself would keep the last one.
        if line.text.count(f'"{key}"') > 1 and key in _doubled(line.text):
            raise _NotUsable(f'the key "{key}" stands there more than once')
    return item


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) < _MOST_DIGITS else float(digits)


def _doubled(text: str) -> set[str]:
    """Returns the keys that the outermost object has twice."""
    doubled: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        # Objects end from the inside out, so the outermost comes last.
        doubled.clear()
        doubled.update(name for name in names if names.count(name) > 1)
        return dict(pairs)

    json.loads(text, parse_int=_whole_number, object_pairs_hook=note)
    return doubled


def _value(item: Mapping[str, Any], key: str, feature: Feature) -> str | list[str] | None:
    if key not in item:
        raise _NotUsable(f'no key "{key}"; keys there: {quoted(item)}.{did_you_mean(key, item)}')
    value = item[key]
    if not feature.facts.many:
        return _text(value, f'"{key}"', feature)
    if value is None:
        return None
    if not isinstance(value, list):
        raise _NotUsable(f'"{key}" must be a list of strings, found {type(value).__name__}')
    return [_text(each, f'"{key}" at place {place}', feature) or "" for place, each in enumerate(value, start=1)]


def _text(value: Any, what: str, feature: Feature) -> str | None:
    if value is None:
        return None
    if feature.facts.numbers and isinstance(value, int):  # a bool is an int: true and false
        return str(value).lower()
    if not isinstance(value, str):
        raise _NotUsable(f"{what} must be a string, found {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        # JSON can spell half a surrogate pair ("\ud83d"); UTF-8 cannot hold it.
        raise _NotUsable(f"{what} holds half of a surrogate pair") from None
    return value
