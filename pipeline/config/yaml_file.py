"""Reads a YAML mapping and remembers on which line each key stands, so that an error can say where to look."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.yaml_traps import misread_number
from pipeline.errors import ConfigError

# A configuration has a few hundred values; a text of some lines whose aliases multiply can mean billions.
_MOST_NODES = 100_000
_KEY_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
    "seq": "a list",
    "map": "a mapping",
}


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
    """Reads the file; raises ConfigError for a missing file, no mapping, and what `parse` refuses."""
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
    places: dict[str, str] = {}
    values = parse(text, str(path), places)
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must be a mapping of sections such as `model:`. Received: {_kind(values)}")
    return YamlFile(values, places)


def _kind(value: Any) -> str:
    return "an empty file" if value is None else type(value).__name__


def parse(text: str, origin: str, places: dict[str, str]) -> Any:
    """Reads YAML.

    Args:
        text: what to read.
        origin: of the text, for messages.
        places: gets, for each dotted key, "ORIGIN line N".

    Raises:
        ConfigError: for a syntax error, a key that stands twice or is no text, a number that YAML takes for another,
            an alias inside of what it stands for, or aliases that multiply beyond any use.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        walk = _Walk(origin, places)
        walk.enter(root, "")
        if walk.problems:
            raise ConfigError("\n".join(walk.problems))
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{origin}{line}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not valid YAML: {str(error).splitlines()[0]}") from None
    except ValueError as error:
        # PyYAML lets Python's own error out for a date such as 2024-13-45.
        raise ConfigError(f"{origin}: not valid YAML: {error}; put the value in quotes if it is text") from None
    except RecursionError:
        raise ConfigError(f"{origin}: lists or mappings lie too deep in one another; no section needs that") from None


class _Walk:
    """Goes through the nodes of a document, an alias as what it stands for, before anything is built from them."""

    def __init__(self, origin: str, places: dict[str, str]) -> None:
        self._origin = origin
        self._places = places
        self._above: set[int] = set()
        self._passed = 0
        self.problems: list[str] = []

    def enter(self, node: yaml.Node | None, prefix: str) -> None:
        """Notes places and problems of a node and all below it; `prefix` is its dotted key with a dot."""
        self._passed += 1
        if self._passed > _MOST_NODES:
            raise ConfigError(
                f"{self._origin}: aliases (*name) make more than {_MOST_NODES:,} values of this text; write out what "
                "is meant"
            )
        if id(node) in self._above:
            raise ConfigError(
                f"{self._at(node)}: the alias below {prefix.rstrip('.') or 'the top'} stands for the very thing it "
                "is part of, which has no end; write out what is meant"
            )
        self._above.add(id(node))
        if isinstance(node, yaml.ScalarNode) and (problem := misread_number(node)):
            self.problems.append(f"{self._at(node)}: {problem}")
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.enter(item, f"{prefix}{index}.")
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, prefix)
        self._above.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, prefix: str) -> None:
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if key.tag not in _KEY_TAGS:
                self.problems.append(f"{self._at(key)}: {_no_text(key, prefix)}")
            # PyYAML itself keeps the last of two equal keys and says nothing.
            if name in seen:
                self.problems.append(
                    f"{self._at(key)}: {prefix}{name} stands twice, first on line {seen[name]}; keep one"
                )
            seen.setdefault(name, line)
            self._places[f"{prefix}{name}"] = self._at(key)
            self.enter(value, f"{prefix}{name}.")

    def _at(self, node: yaml.Node | None) -> str:
        # An override is one line.
        of_file = node and not self._origin.startswith("--set ")
        return f"{self._origin} line {node.start_mark.line + 1}" if node and of_file else self._origin


def _no_text(key: yaml.Node, prefix: str) -> str:
    kind = _KINDS.get(key.tag.rpartition(":")[2], "no text")
    if not isinstance(key, yaml.ScalarNode):
        return f"a key below {prefix.rstrip('.') or 'the top'} is {kind}; keys are text"
    return f'the key {prefix}{key.value} is {kind} to YAML, and keys are text. If it is meant, quote it: "{key.value}"'
