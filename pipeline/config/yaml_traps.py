"""What YAML reads as another number than a person who writes it means."""

import re

import yaml

# YAML 1.1: 010 is 8, 1:30 is 90.
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def misread_number(node: yaml.ScalarNode) -> str:
    """One sentence where YAML reads a number as one of base 8 or base 60, else ""."""
    if node.tag not in _NUMBERS or not (_OCTAL.fullmatch(node.value) or _SEXAGESIMAL.fullmatch(node.value)):
        return ""
    base = 60 if ":" in node.value else 8
    return (
        f"YAML reads {node.value} as a number of base {base}, {yaml.safe_load(node.value)}; write the number that is "
        f'meant, or put text in quotes: "{node.value}"'
    )
