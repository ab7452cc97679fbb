"""Features that an example takes from another one of its split: text that is surely not what follows its own."""

from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf

from models.features import Feature

# Examples of a bucket, about: of so many hardly one stands alone.
_LEAST = 16


def join_small(examples: beam.PCollection, split: str, features: Sequence[Feature]) -> beam.PCollection:
    """Joins the buckets of a small split, where examples are to borrow: alone in its bucket none could.

    Args:
        examples: (bucket, (position, serialized tf.Example)).
        split: its name.
        features: the task's.

    Returns:
        the same, with so few buckets that each holds several.
    """
    if not any(feature.borrowed_from for feature in features):
        return examples
    count = beam.pvalue.AsSingleton(examples | f"Count[{split}]" >> beam.combiners.Count.Globally())
    return examples | f"JoinSmall[{split}]" >> beam.Map(_joined, count)


def _joined(placed: tuple[int, Any], count: int) -> tuple[int, Any]:
    bucket, example = placed
    return bucket % max(1, count // _LEAST), example


def borrow(examples: Sequence[bytes], features: Sequence[Feature]) -> list[bytes]:
    """Gives each example what it borrows, from the one half the number of examples away.

    So far, because in data in order neighbours may be passages of one document.

    Args:
        examples: serialized tf.Examples of a bucket of a split, in their order.
        features: the task's.

    Returns:
        the same; where there is but one nothing is borrowed.
    """
    borrowing = [feature for feature in features if feature.borrowed_from]
    if not borrowing or len(examples) == 1:
        return list(examples)
    parsed = [tf.train.Example.FromString(serialized) for serialized in examples]
    for feature in borrowing:
        lent = [example.features.feature[feature.borrowed_from] for example in parsed]
        for number, example in enumerate(parsed):
            other = lent[(number + len(lent) // 2) % len(lent)]
            example.features.feature[feature.name].CopyFrom(other)
    return [example.SerializeToString(deterministic=True) for example in parsed]
