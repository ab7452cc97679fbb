"""Mean of the F1 of all classes."""

from typing import Any

from components.evaluation.metrics.class_scores import class_scores
from components.evaluation.metrics.confusion_counts import Counts, derived_from_counts
from components.evaluation.metrics.per_model import PerModelMetric


class MacroF1(PerModelMetric):
    """Mean F1 over the classes that occur as label or as answer, each class counting the same, 0 to 1."""

    def __init__(self, name: str = "macro_f1") -> None:
        super().__init__(_computations, name)


def _computations(name: str, model_name: str) -> list[Any]:
    return derived_from_counts(name, model_name, lambda counts: {name: macro_f1(counts)})


def macro_f1(counts: Counts) -> float:
    """Mean of the classes' F1."""
    scores = [score for name, score in class_scores(counts).items() if name.startswith("f1/")]
    return sum(scores) / len(scores) if scores else float("nan")
