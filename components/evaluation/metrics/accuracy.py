"""Share of examples answered with their label."""

from typing import Any

from components.evaluation.metrics.confusion_counts import Counts, derived_from_counts
from components.evaluation.metrics.per_model import PerModelMetric


class Accuracy(PerModelMetric):
    """Share of right answers, 0 to 1."""

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(_computations, name)


def _computations(name: str, model_name: str) -> list[Any]:
    return derived_from_counts(name, model_name, lambda counts: {name: accuracy(counts)})


def accuracy(counts: Counts) -> float:
    """Share of the examples on the diagonal."""
    right = sum(count for (label, answer), count in counts.items() if label == answer)
    return right / counts.total() if counts else float("nan")
