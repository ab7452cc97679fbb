"""The configuration reference in Markdown, made from the settings classes so that it cannot disagree with them."""

import types
import typing
from collections.abc import Iterator
from typing import Any

import annotated_types
import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from models.registry import ARCHITECTURES, TASKS
from models.settings import markers_of
from models.tasks.task import Task
from pipeline.config.config import Config
from pipeline.config.uses import restriction

_INTRODUCTION = """\
# Configuration

One YAML file says everything. `pipeline_config.yaml` is the default; `configs/` has one for each use. A key that is
left out has the default below. Any key can be given on the command line: `--set training.epochs=3`. An unknown key is
refused with the nearest valid one, and so is a key that has no use: what "Only:" says must hold where the key is set.
In every path `~` is the home folder, and `${VARIABLE}` or `${VARIABLE:-default}` what the environment says. A section
whose keys are all left out has its defaults. `seqline validate` tells all problems of a file at once.
`docs/schema.json` is the same for editors.

This page is made by `seqline schema docs/configuration.md`.
"""


def reference_text() -> str:
    """Every section with a table of its keys: meaning, choices, default."""
    every_task = tuple(TASKS.values())
    lines = [_INTRODUCTION, "## Top level\n", *_table(Config, "", every_task, plain_only=True)]
    # The data come first: without them there is nothing to say in the others.
    for name, field in sorted(Config.model_fields.items(), key=lambda item: item[0] != "data"):
        if name == "model":
            for architecture, entry in ARCHITECTURES.items():
                tasks = tuple(task for task in every_task if entry.solves(task))
                solves = f"{entry.settings.__doc__} Solves {', '.join(task.name for task in tasks)}."
                lines += _section(f"model, architecture {architecture}", entry.settings, "model.", solves, tasks)
        elif section := _settings_class(field.annotation):
            lines += _section(name, section, f"{name}.", _meaning(field, every_task), every_task)
    return "\n".join(lines)


def _section(
    title: str, settings: type[pydantic.BaseModel], prefix: str, meaning: str, tasks: tuple[Task, ...]
) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield f"{' '.join(meaning.split())}\n"
    yield from _table(settings, prefix, tasks)


def _table(
    settings: type[pydantic.BaseModel], prefix: str, tasks: tuple[Task, ...], plain_only: bool = False
) -> Iterator[str]:
    yield "| key | meaning | values | default |"
    yield "|---|---|---|---|"
    for name, field in settings.model_fields.items():
        nested = _settings_class(field.annotation)
        if plain_only and (nested or name == "model"):
            continue
        if nested and not plain_only:
            yield from list(_table(nested, f"{prefix}{name}.", tasks))[2:]
            continue
        cells = (f"`{prefix}{name}`", _meaning(field, tasks), _values(field), _default(field))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _meaning(field: FieldInfo, tasks: tuple[Task, ...]) -> str:
    """What a key means and, of these tasks, for which it has a use."""
    return " ".join(f"{field.description or ''} {restriction(markers_of(field), tasks)}".split())


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
    names = {
        "str": "text",
        "int": "integer",
        "float": "number",
        "bool": "true or false",
        "Bound": "{min, max}",
        "NoneType": "empty",
    }
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
