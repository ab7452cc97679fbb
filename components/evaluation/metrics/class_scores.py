"""Precision, recall and F1 of each class."""

from collections import Counter
from typing import Any

from components.evaluation.metrics.confusion_counts import Counts, derived_from_counts
from components.evaluation.metrics.per_model import PerModelMetric


class ClassScores(PerModelMetric):
    """`precision/<label>`, `recall/<label>` and `f1/<label>` for every class that occurs, 0 to 1."""

    def __init__(self, name: str = "class_scores") -> None:
        super().__init__(_all_computations, name)


class ClassScore(PerModelMetric):
    """One of them, named in advance so that it can have a threshold; undefined when its class never occurs."""

    def __init__(self, name: str) -> None:
        super().__init__(_one_computation, name)


def _all_computations(name: str, model_name: str) -> list[Any]:
    return derived_from_counts(name, model_name, class_scores)


def _one_computation(name: str, model_name: str) -> list[Any]:
    return derived_from_counts(name, model_name, lambda counts: {name: class_scores(counts).get(name, float("nan"))})


def class_scores(counts: Counts) -> dict[str, float]:
    """The scores of every class that occurs as label or as answer.

    A score without any case to judge by (0 / 0) is 0: a class that is never answered has precision 0.
    """
    labels: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for (label, answer), count in counts.items():
        labels[label] += count
        answers[answer] += count
    scores = {}
    for name in sorted({*labels, *answers}):
        right = counts[name, name]
        scores[f"precision/{name}"] = right / answers[name] if answers[name] else 0.0
        scores[f"recall/{name}"] = right / labels[name] if labels[name] else 0.0
        scores[f"f1/{name}"] = 2 * right / (labels[name] + answers[name])
    return scores
