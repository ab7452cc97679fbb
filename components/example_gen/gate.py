"""The rules of `data.gate`: what is done about records that can be read and look wrong.

A new rule of records is a function and a line here, and a key of `GateSettings`.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence

from components.example_gen.gate_settings import GateSettings
from components.example_gen.records import BadRecord, Record, texts_of
from components.example_gen.scripts import script_of
from models.features import Feature

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_FOREIGN = 0.1
# Of so few characters a ratio says nothing.
_SHORT = 20

# Each yields what is wrong with a record, in words that other records share.
Rule = Callable[[Record, Sequence[Feature], GateSettings], Iterator[str]]


def control_characters(record: Record, features: Sequence[Feature], settings: GateSettings) -> Iterator[str]:
    """Control characters in texts."""
    for name, text in _texts(record, features):
        if found := _CONTROL.search(text):
            yield f"{name} has the control character U+{ord(found[0]):04X}"


def scripts(record: Record, features: Sequence[Feature], settings: GateSettings) -> Iterator[str]:
    """Letters of scripts that are not allowed."""
    for name, text in _texts(record, features) if settings.allowed_scripts else ():
        found = [script_of(character) for character in text if character.isalpha()]
        foreign = [script for script in found if script not in settings.allowed_scripts]
        if foreign and len(foreign) > _FOREIGN * len(found):
            yield f"{name} is in the script {max(set(foreign), key=foreign.count)}"


def length_ratio(record: Record, features: Sequence[Feature], settings: GateSettings) -> Iterator[str]:
    """Pairs of very different lengths."""
    sizes = [(len(text), name) for name, text in _texts(record, features)]
    if len(sizes) == 2:
        (short, _), (long, longer) = sorted(sizes)
        if long > _SHORT and long > settings.max_length_ratio * short:
            yield f"{longer} is more than {settings.max_length_ratio:g} times as long as the text that it stands with"


def sound(record: Record, features: Sequence[Feature], settings: GateSettings) -> Iterator[str]:
    """What the reader of recordings remarked."""
    yield from record.remarks


RULES: dict[str, Rule] = {
    "control_characters": control_characters,
    "scripts": scripts,
    "length_ratio": length_ratio,
    "sound": sound,
}


def gated(record: Record, features: Sequence[Feature], settings: GateSettings) -> Record | BadRecord:
    """The record, with a remark for each rule that warns; where a rule sets it aside or fails, it is a bad one."""
    remarks: list[str] = []
    for name, rule in RULES.items():
        action = getattr(settings, name)
        for reason in rule(record, features, settings) if action != "off" else ():
            if action != "warn":
                return BadRecord(record.file, record.line, f"{reason} (data.gate.{name})", rule=name, action=action)
            remarks.append(reason)
    return record if remarks == list(record.remarks) else dataclasses.replace(record, remarks=tuple(remarks))


def _texts(record: Record, features: Sequence[Feature]) -> Iterator[tuple[str, str]]:
    for feature in features:
        if feature.facts.learned in ("pieces", "words"):
            yield feature.name, " ".join(texts_of(record.values[feature.name]))
