"""What YAML reads as something else than a person who writes it means, and what would never end."""

import re
from collections.abc import Iterator

import yaml

# Nodes of a configuration, aliases followed, at most; the largest of ours has a few hundred.
_MOST_NODES = 100_000
# YAML 1.1: 010 is 8, 1:30 is 90.
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


def misread(root: yaml.Node | None, place: str) -> list[str]:
    """One sentence for each trap.

    1. an alias that stands inside of what it refers to, or aliases that multiply beyond `_MOST_NODES`
    2. a key that YAML takes for a number, a date, or true or false
    3. a number that YAML reads as another one, base 8 or base 60

    Args:
        root: of `yaml.compose`.
        place: file or override, for the sentences.
    """
    found: list[str] = []
    count = 0
    for node, is_key in _nodes(root, set(), place, found):
        count += 1
        if count > _MOST_NODES:
            return [*found, f"{place}: its aliases (*NAME) make it larger than {_MOST_NODES:,} values; write less"]
        if isinstance(node, yaml.ScalarNode) and (problem := _problem(node, is_key)):
            found.append(f"{place}{_line(node, place)}: {problem}")
    return list(dict.fromkeys(found))


def _nodes(
    node: yaml.Node | None, around: set[int], place: str, found: list[str], is_key: bool = False
) -> Iterator[tuple[yaml.Node, bool]]:
    if node is None:
        return
    if id(node) in around:
        found.append(f"{place}{_line(node, place)}: an alias (*NAME) stands inside of what it refers to; write it out")
        return
    yield node, is_key
    around = around | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _nodes(item, around, place, found)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _nodes(key, around, place, found, is_key=True)
            yield from _nodes(value, around, place, found)


def _problem(node: yaml.ScalarNode, is_key: bool) -> str:
    if is_key and node.tag not in (_TEXT, _MERGE):
        return f'keys must be text, and YAML takes {node.value} for something else; put it in quotes: "{node.value}"'
    if node.tag in _NUMBERS and (_OCTAL.fullmatch(node.value) or _SEXAGESIMAL.fullmatch(node.value)):
        base = 60 if ":" in node.value else 8
        return (
            f"YAML reads {node.value} as a number of base {base}, {yaml.safe_load(node.value)}; write the number that "
            f'is meant, or put text in quotes: "{node.value}"'
        )
    return ""


def _line(node: yaml.Node, place: str) -> str:
    return "" if place.startswith("--set ") else f" line {node.start_mark.line + 1}"
