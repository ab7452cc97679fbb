"""The base of every section of the configuration file, and how a key says when it has a use."""

import typing
from collections.abc import Mapping
from typing import Any

import pydantic
from pydantic.fields import FieldInfo


class Settings(pydantic.BaseModel):
    """Settings that cannot change after they are read and that refuse keys they do not know.

    Numbers are finite unless a field says otherwise. Where a field may be empty, an empty text says so too: it is what
    an override writes.
    """

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @pydantic.model_validator(mode="before")
    @classmethod
    def _empty_is_off(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {name: None if value == "" and _may_be_empty(cls, name) else value for name, value in values.items()}


def _may_be_empty(settings: type[pydantic.BaseModel], name: str) -> bool:
    """Whether a key takes nothing, and does not take an empty text for a text."""
    field = settings.model_fields.get(name)
    kinds = typing.get_args(field.annotation) if field else ()
    return type(None) in kinds and str not in kinds


def only_for(use: str) -> Any:
    """Marks a key or a section, for `json_schema_extra`, as of use to some tasks or models only.

    Args:
        use: one of `Task.all_uses`, or of `ArchitectureSettings.uses`.
    """
    return {"only_for": use}


def only_with(**values: str | tuple[str, ...] | bool) -> Any:
    """Marks a key, for `json_schema_extra`, that has a use only where keys beside it have these values.

    Args:
        values: key to its value or values; True: whatever is not empty; False: empty.
    """
    return {"only_with": {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}}


def names_features(kind: str) -> Any:
    """Marks a list, for `json_schema_extra`, whose members are features of this kind that the task has."""
    return {"names_features": kind}


def a_path() -> Any:
    """Marks a key, for `json_schema_extra`, whose texts are paths, in which variables and `~` are expanded."""
    return {"path": True}


MARKERS = ("only_for", "only_with", "names_features", "path")


def markers_of(field: FieldInfo) -> Mapping[str, Any]:
    """What the functions above have written beside a key."""
    extra = field.json_schema_extra
    return {name: extra[name] for name in MARKERS if name in extra} if isinstance(extra, dict) else {}
