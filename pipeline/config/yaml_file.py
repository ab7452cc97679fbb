"""Reads a YAML mapping and remembers on which line each key stands, so that an error can say where to look."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.yaml_traps import misread
from pipeline.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class YamlFile:
    """A YAML mapping.

    Attributes:
        values: the mapping.
        places: for each dotted key, "FILE line N".
    """

    values: dict[str, Any]
    places: dict[str, str]


def read_yaml(path: Path) -> YamlFile:
    """Reads the file; raises ConfigError for a missing file, a syntax error, a key that stands twice, or no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; name the configuration with -c FILE") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a folder; name a YAML file with -c FILE") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}); save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        problems = misread(root, str(path))
        if problems:
            # An alias inside itself has no end to walk to.
            raise ConfigError("\n".join(problems))
        places: dict[str, str] = {}
        _walk(root, "", str(path), places, problems)
        if problems:
            raise ConfigError("\n".join(problems))
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must be a mapping of sections such as `model:`. Received: {_kind(values)}")
    return YamlFile(values, places)


def _kind(value: Any) -> str:
    return "an empty file" if value is None else type(value).__name__


def _walk(node: yaml.Node | None, prefix: str, file: str, places: dict[str, str], problems: list[str]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, f"{prefix}{index}.", file, places, problems)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        name = str(key.value)
        line = key.start_mark.line + 1
        # PyYAML itself keeps the last of two equal keys and says nothing.
        if name in seen:
            problems.append(f"{file} line {line}: {prefix}{name} stands twice, first on line {seen[name]}; keep one")
        seen.setdefault(name, line)
        places[f"{prefix}{name}"] = f"{file} line {line}"
        _walk(value, f"{prefix}{name}.", file, places, problems)
