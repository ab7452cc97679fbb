"""Turns pydantic's list of errors into one line each: where, which rule, the value received, the way out."""

import dataclasses
import difflib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import pydantic

# Rules that pydantic words for programmers.
_PLAIN = {
    "model_type": "be a section with keys of its own",
    "model_attributes_type": "be a section with keys of its own",
    "string_type": "be text (in quotes where it looks like a number or a date)",
    "int_parsing": "be a whole number",
    "int_from_float": "be a whole number",
    "int_type": "be a whole number",
    "float_parsing": "be a number",
    "float_type": "be a number",
    "bool_parsing": "be true or false",
    "bool_type": "be true or false",
    "list_type": "be a list",
    "tuple_type": "be a list",
    "dict_type": "be a mapping",
    # Of `name`, the only text with a pattern: it names folders and the served model.
    "string_pattern_mismatch": "consist of small letters, digits, _ and -, such as film_reviews",
}


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that is wrong.

    Attributes:
        text: rule, value received, way out.
        paths: keys, each as its parts; the place of the first one that has a place is told.
    """

    text: str
    paths: tuple[tuple[str, ...], ...]


def describe(
    error: pydantic.ValidationError, root: type[pydantic.BaseModel], values: Mapping[str, Any]
) -> list[Problem]:
    """Describes every error that pydantic found.

    Args:
        error: from validating `values`.
        root: the class that was validated.
        values: what was validated.
    """
    problems: list[Problem] = []
    broken: dict[tuple[str, ...], list[str]] = {}
    received: dict[tuple[str, ...], str] = {}
    for item in error.errors(include_url=False):
        path = _path(item, values)
        key = ".".join(path)
        match item["type"]:
            case "extra_forbidden":
                problems.append(Problem(_unknown_key(path, root, values), (path,)))
            case "missing":
                problems.append(Problem(f"{key} is missing; it has no default", (path,)))
            case "union_tag_not_found":
                problems.append(Problem(f"{key}.{_discriminator(item)} is missing; it has no default", (path,)))
            case "union_tag_invalid":
                path = (*path, _discriminator(item))
                problems.append(Problem(_unknown_tag(path, item["ctx"]), (path,)))
            case "value_error":
                lines = item["msg"].removeprefix("Value error, ").splitlines()
                problems += [sentence(line, path) for line in lines]
            case _:
                # The members of a union (a text or a list of texts) complain one by one about the same value.
                broken.setdefault(path, []).append(_rule(item))
                received[path] = _show(item["input"]) + _literal_guess(item)
    for path, rules in broken.items():
        rule = " or ".join(dict.fromkeys(rules))
        problems.append(Problem(f"{'.'.join(path)} must {rule}. Received: {received[path]}", (path,)))
    return problems


def sentence(text: str, path: tuple[str, ...] = ()) -> Problem:
    """A sentence of our own, which may or may not name its key."""
    key = ".".join(path)
    if key and key not in text:
        text = f"{key}: {text}"
    named = (tuple(name.split(".")) for name in re.findall(r"\b[a-z_]+(?:\.\w+)*", text))
    return Problem(text, (*named, path))


def in_file_order(problems: Iterable[Problem], places: Mapping[str, str]) -> list[str]:
    """One line for each problem, with its place before it; what stands nowhere comes first.

    Args:
        problems: in any order.
        places: for dotted keys, where they come from ("FILE line N", "--set KEY=VALUE"), first things first.
    """
    order = {place: index for index, place in enumerate(dict.fromkeys(places.values()))}
    placed = [(_place(problem.paths, places), problem.text) for problem in problems]
    placed.sort(key=lambda one: order.get(one[0], -1))
    return [f"{place}: {text}" if place else text for place, text in placed]


def _path(item: Any, values: Any) -> tuple[str, ...]:
    """The dotted key; pydantic puts the names of union members between its parts, which the user never wrote."""
    path: list[str] = []
    for part in item["loc"]:
        inside = isinstance(values, Mapping) and part in values or isinstance(values, list) and isinstance(part, int)
        if inside:
            values = values[part]
            path.append(str(part))
    if item["type"] == "missing":
        path.append(str(item["loc"][-1]))
    return tuple(path)


def _place(paths: Iterable[tuple[str, ...]], places: Mapping[str, str]) -> str:
    prefixes = (".".join(path[:length]) for path in paths for length in range(len(path), 0, -1))
    return next((places[prefix] for prefix in prefixes if prefix in places), "")


def _unknown_key(path: tuple[str, ...], root: type[pydantic.BaseModel], values: Mapping[str, Any]) -> str:
    *sections, key = path
    valid = _valid_keys(root, sections, values)
    close = difflib.get_close_matches(key, valid, n=1)
    hint = f"; did you mean {'.'.join([*sections, close[0]])}?" if close else "."
    return f"Unknown key {'.'.join(path)}{hint} Valid keys: {', '.join(valid)}"


def _valid_keys(model: Any, sections: list[str], values: Any) -> list[str]:
    """The fields of the class that stands at a path of section names."""
    annotation: Any = model
    discriminator: Any = None
    for section in sections:
        values = values.get(section, {})
        if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
            field = annotation.model_fields[section]
            annotation, discriminator = field.annotation, field.discriminator
        annotation = _member(annotation, discriminator, values)
    return list(annotation.model_fields)


def _member(annotation: Any, discriminator: Any, values: Mapping[str, Any]) -> Any:
    """Of a union, the class that the discriminator names; of a mapping, the class of its values, one key further."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        members = [one for one in typing.get_args(annotation) if hasattr(one, "model_fields")]
        if discriminator:
            tag = values.get(discriminator)
            members = [one for one in members if tag in typing.get_args(one.model_fields[discriminator].annotation)]
        return members[0]
    if typing.get_origin(annotation) is dict:
        return _Mapping(typing.get_args(annotation)[1])
    return annotation.value if isinstance(annotation, _Mapping) else annotation


class _Mapping:
    """A mapping with free keys, such as `thresholds`, before its key is passed."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _unknown_tag(path: tuple[str, ...], context: Any) -> str:
    choices = [choice.strip(" '") for choice in context["expected_tags"].split(",")]
    rule = f"{'.'.join(path)} must be one of {', '.join(choices)}. Received: {context['tag']}"
    return rule + _guess(str(context["tag"]), choices)


def _discriminator(item: Any) -> str:
    return item["ctx"]["discriminator"].strip("'")


def _rule(item: Any) -> str:
    return _PLAIN.get(item["type"]) or re.sub(r"^\w+ should ", "", item["msg"])


def _literal_guess(item: Any) -> str:
    if item["type"] != "literal_error" or not isinstance(item["input"], str):
        return ""
    choices = [choice.strip("'") for choice in item["ctx"]["expected"].replace(" or ", ", ").split(", ")]
    return _guess(item["input"], choices)


def _guess(value: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(value, choices, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _show(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        # Such as a date, which YAML reads from 2024-03-05.
        text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
