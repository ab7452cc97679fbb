"""Features that an example takes from another one of its split: text that is surely not what follows its own."""

from collections.abc import Sequence

import tensorflow as tf

from models.features import Feature


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
