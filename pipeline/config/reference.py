"""The configuration reference in Markdown, made from the settings classes so that it cannot disagree with them."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import annotated_types
import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from models.registry import ARCHITECTURES
from pipeline.config.config import Config

_INTRODUCTION = """\
# Configuration

One YAML file says everything. `pipeline_config.yaml` is the default; `configs/` has one for each use. A key that is
left out has the default below. Any key can be given on the command line: `--set training.epochs=3`. An unknown key is
refused with the nearest valid one, and `seqline validate` tells all problems of a file at once. `docs/schema.json` is
the same for editors.

This page is made by `seqline schema docs/configuration.md`.
"""


def reference_text() -> str:
    """Every section with a table of its keys: meaning, choices, default."""
    lines = [_INTRODUCTION, "## Top level\n", *_table(Config, "", plain_only=True)]
    for name, field in Config.model_fields.items():
        if name == "model":
            for architecture, entry in ARCHITECTURES.items():
                lines += _section(
                    f"model, architecture {architecture}", entry.settings, "model.", entry.settings.__doc__
                )
        elif section := _settings_class(field.annotation):
            lines += _section(name, section, f"{name}.", field.description)
    return "\n".join(lines)


def _section(title: str, settings: type[pydantic.BaseModel], prefix: str, meaning: str | None) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"{' '.join((meaning or '').split())}\n"
    yield from _table(settings, prefix)


def _table(settings: type[pydantic.BaseModel], prefix: str, plain_only: bool = False) -> Iterator[str]:
    yield "| key | meaning | values | default |"
    yield "|---|---|---|---|"
    for name, field in settings.model_fields.items():
        nested = _settings_class(field.annotation)
        if plain_only and (nested or name == "model"):
            continue
        if nested and not plain_only:
            yield from list(_table(nested, f"{prefix}{name}."))[2:]
            continue
        meaning = " ".join((field.description or "").split())
        cells = (f"`{prefix}{name}`", meaning, _values(field), _default(field))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _settings_class(annotation: Any) -> type[pydantic.BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel) else None


def _values(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {getattr(rule, attribute)}"
        for rule in field.metadata
        for kind, attribute, sign in (
            (annotated_types.Ge, "ge", "≥"),
            (annotated_types.Gt, "gt", ">"),
            (annotated_types.Le, "le", "≤"),
            (annotated_types.Lt, "lt", "<"),
        )
        if isinstance(rule, kind)
    ]
    return ", ".join([_type_name(field.annotation), *bounds])


def _type_name(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(str(argument) for argument in arguments)
    if origin is typing.Annotated:
        return _type_name(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type_name(argument) for argument in arguments))
    if origin is dict:
        return f"mapping of {_type_name(arguments[0])} to {_type_name(arguments[1])}"
    if origin in (list, tuple):
        return f"list of {_type_name(arguments[0])}"
    names = {"str": "text", "int": "integer", "float": "number", "bool": "true or false", "Bound": "{min, max}"}
    return names.get(annotation.__name__, annotation.__name__)


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if isinstance(default, bool):
        return str(default).lower()
    if default in ("", (), {}, None):
        return "none"
    return f"`{list(default) if isinstance(default, tuple) else default}`"
