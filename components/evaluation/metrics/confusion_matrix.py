"""The confusion matrix, kept as one value of the evaluation."""

import json
from typing import Any

from components.evaluation.metrics.confusion_counts import Counts, derived_from_counts
from components.evaluation.metrics.per_model import PerModelMetric


class ConfusionMatrix(PerModelMetric):
    """The counts as JSON: `[[label, answer, examples], ...]`. TFMA's own matrix plot loses the names of the classes."""

    def __init__(self, name: str = "confusion_matrix") -> None:
        super().__init__(_computations, name)


def _computations(name: str, model_name: str) -> list[Any]:
    return derived_from_counts(name, model_name, lambda counts: {name: to_json(counts)})


def to_json(counts: Counts) -> str:
    """The counts in a stable order."""
    return json.dumps([[label, answer, count] for (label, answer), count in sorted(counts.items())], ensure_ascii=False)
