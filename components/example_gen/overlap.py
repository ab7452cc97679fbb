"""Which inputs come in train and in another split, and which with two labels: by digests, so that no text is kept."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from components.example_gen.records import Record, texts_of
from models.features import Feature

_DIGEST_BYTES = 12


@dataclass(frozen=True, slots=True)
class Seen:
    """Where one input was seen.

    Attributes:
        splits: number of records in each split.
        labels: at most two different labels, each with the first place where the input has it.
    """

    splits: dict[str, int]
    labels: dict[str, str]


@dataclass(frozen=True)
class Overlap:
    """What is seen over all inputs.

    Attributes:
        repeated: of each split but train, the number of records whose input stands in train too.
        disputed: number of inputs with more than one label.
        example: the places and labels of one of them.
    """

    repeated: Counter[str] = field(default_factory=Counter)
    disputed: int = 0
    example: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"repeated": dict(self.repeated), "disputed": self.disputed, "example": self.example}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Overlap":
        """Reads what `to_dict` made."""
        return cls(Counter(values["repeated"]), values["disputed"], values["example"])


def seen_of(record: Record, split: str, features: Sequence[Feature]) -> tuple[bytes, Seen]:
    """The digest of a record's input, which is the task's first feature, and where it was seen."""
    value = record.values[features[0].name]
    content = value.tobytes() if isinstance(value, np.ndarray) else "\0".join(texts_of(value)).encode()
    labels = [
        feature.name for feature in features[1:] if feature.facts.learned == "categories" and not feature.optional
    ]
    label = " ".join(text for name in labels for text in texts_of(record.values[name]))
    digest = hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
    return digest, Seen({split: 1}, {label: record.place} if labels else {})


def merge(items: Iterable[Seen]) -> Seen:
    """Puts together what was seen of one input; in whatever order and grouping, the result is the same."""
    splits: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for seen in items:
        splits.update(seen.splits)
        for label, place in seen.labels.items():
            labels[label] = min(place, labels.get(label, place))
    return Seen(dict(splits), dict(sorted(labels.items())[:2]))


def overlap_of(seen: Seen) -> Overlap:
    """What one input adds."""
    others = {split: count for split, count in seen.splits.items() if split != "train" and "train" in seen.splits}
    disputed = len(seen.labels) > 1
    example = " and ".join(f'{place} "{label}"' for label, place in seen.labels.items()) if disputed else ""
    return Overlap(Counter(others), int(disputed), example)


def add(overlaps: Iterable[Overlap]) -> Overlap:
    """The sum; the example is the first in the order of the alphabet."""
    repeated: Counter[str] = Counter()
    disputed, example = 0, ""
    for overlap in overlaps:
        repeated.update(overlap.repeated)
        disputed += overlap.disputed
        example = min(filter(None, [example, overlap.example]), default="")
    return Overlap(repeated, disputed, example)
