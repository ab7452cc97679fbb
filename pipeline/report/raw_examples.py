"""The raw examples of a split as a report shows them: texts of a sample, and how long they are."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from components.example_gen.executor import COUNTS_FILE
from components.requests import row_of
from components.serving_validator.answers import read_examples
from models.features import Feature

# Enough for shares to be right within half a percent.
MOST_READ = 20_000
SHOWN = 10


@dataclass
class SplitSample:
    """What was seen of a split.

    Attributes:
        read: how many of its examples were looked at, from the beginning.
        texts: of the first ten, by feature.
        lengths: by feature, how many words (or values, or samples of sound) each example has.
        labels: by label feature, how often each value occurs.
        inputs: the normalised input of each example that is a text.
    """

    read: int = 0
    texts: list[dict[str, str]] = field(default_factory=list)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    labels: dict[str, Counter[str]] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)


def read_counts(examples: Path | None) -> dict | None:
    """What was counted while the data were read; None for a run that failed before it had."""
    file = examples / COUNTS_FILE if examples else None
    return json.loads(file.read_text(encoding="utf-8")) if file and file.exists() else None


def sample_split(folder: Path, features: Sequence[Feature]) -> SplitSample:
    """Looks at the beginning of a split, which is in the order of hashes and so a sample, unless data are in order."""
    sample = SplitSample()
    # A recording is too large to look at many of them.
    least = min(feature.facts.batch_size for feature in features)
    for serialized in read_examples(folder, min(MOST_READ, least * 10)):
        row, shown = row_of(serialized), {}
        sample.read += 1
        for feature in features:
            value = row.get(feature.name, b"")
            texts = [value] if isinstance(value, bytes) else list(value) if feature.facts.stored == "bytes" else None
            if texts is None:
                sample.lengths.setdefault(feature.name, []).append(len(value))
                continue
            words = [text.decode("utf-8", "replace") for text in texts]
            shown[feature.name] = " ".join(words)
            if feature.facts.learned == "categories":
                sample.labels.setdefault(feature.name, Counter()).update(filter(None, words))
            elif not feature.facts.noted:
                count = len(words) if feature.facts.many else len(words[0].split())
                sample.lengths.setdefault(feature.name, []).append(count)
        first = shown.get(features[0].name)
        if first is not None:
            sample.inputs.append(" ".join(first.casefold().split()))
        if len(sample.texts) < SHOWN:
            sample.texts.append(shown)
    return sample
