"""`${VARIABLE}`, `${VARIABLE:-default}` and `~` in every path of a configuration: one rule, for what is marked so."""

import os
import re
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.fields import FieldInfo

from models.settings import markers_of

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")


def expand_paths(fields: Mapping[str, FieldInfo], values: dict[str, Any], prefix: str = "") -> list[str]:
    """Expands, in place, what the user wrote for keys that are marked as paths.

    Args:
        fields: of the configuration, or of a section.
        values: what the user wrote, not yet validated.
        prefix: of the section, with its dot.

    Returns:
        One sentence for each key that names a variable that is not set.
    """
    problems: list[str] = []
    for name, field in ((name, field) for name, field in fields.items() if name in values):
        value = values[name]
        if markers_of(field).get("path"):
            try:
                values[name] = _expanded(value, f"{prefix}{name}")
            except ValueError as error:
                problems.append(str(error))
        elif isinstance(value, dict):
            for section in section_classes(field, value):
                problems += expand_paths(section.model_fields, value, f"{prefix}{name}.")
    return problems


def section_classes(field: FieldInfo, value: Mapping[str, Any]) -> list[type[pydantic.BaseModel]]:
    """The class of a section; of a union that which has the tag of this value."""
    annotation, tag = field.annotation, value.get(str(field.discriminator))
    if isinstance(annotation, type):
        return [annotation] if issubclass(annotation, pydantic.BaseModel) else []
    members = [one for one in getattr(annotation, "__args__", ()) if hasattr(one, "model_fields")]
    return [
        one for one in members if any(tag in getattr(f.annotation, "__args__", ()) for f in one.model_fields.values())
    ]


def _expanded(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _expanded(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, key) for item in value]
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise ValueError(f'"{key}" must be a path. Received: {value!r}, which has a NUL character')

    def replace(match: re.Match[str]) -> str:
        # Empty counts as unset, as in the shell.
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            raise ValueError(
                f'"{key}" names the environment variable {match["name"]}, which is not set. Received: {value!r}. '
                f"Set it, or give a default: ${{{match['name']}:-some/folder}}."
            )
        return found

    return os.path.expanduser(_VARIABLE.sub(replace, value))
