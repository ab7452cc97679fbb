"""How often each class was taken for each other one, and what follows from it: all classification metrics but AUC.

TFMA's classification metrics want the classes as numbers when the evaluation is configured. Ours are learned by the run
itself, so they are read from the model's answers; a label never seen in training is then simply never answered.
"""

import functools
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.metrics.sums import PerModelMetric, derived_from_sums

# (label of the example, answer of the model) -> number of examples.
Counts = Counter[tuple[str, str]]


class ConfusionMetric(PerModelMetric):
    """A metric that follows from the counts.

    Args:
        name: key of `FROM_COUNTS`, or one class score, such as `f1/<label>`, named in advance so that it can have a
            threshold.
        output: the class that the model answers.
    """

    def __init__(self, name: str, output: str) -> None:
        values = FROM_COUNTS.get(name, functools.partial(_class_score, name=name))
        addends = functools.partial(label_and_answer, output=output)
        super().__init__(derived_from_sums("_confusion_counts", addends, values), name)


def label_and_answer(element: Any, model_name: str, output: str) -> Mapping[tuple[str, str], int]:
    """What one example adds to the counts."""
    return {(label_text(element, model_name), to_text(model_outputs(element, model_name)[output])): 1}


def accuracy(counts: Counts) -> float:
    """Share of the examples answered with their label, 0 to 1."""
    right = sum(count for (label, answer), count in counts.items() if label == answer)
    return right / counts.total() if counts else math.nan


def class_scores(counts: Counts) -> dict[str, float]:
    """`precision/<label>`, `recall/<label>` and `f1/<label>` of every class that occurs as label or answer, 0 to 1.

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


def macro_f1(counts: Counts) -> float:
    """Mean F1 over the classes that occur as label or as answer, each class counting the same, 0 to 1."""
    scores = [score for name, score in class_scores(counts).items() if name.startswith("f1/")]
    return sum(scores) / len(scores) if scores else math.nan


def majority_accuracy(counts: Counts) -> float:
    """Accuracy of an answer that is always the most frequent label, 0 to 1."""
    return accuracy(_always_the_majority(counts))


def majority_macro_f1(counts: Counts) -> float:
    """Macro F1 of an answer that is always the most frequent label, 0 to 1."""
    return macro_f1(_always_the_majority(counts))


def _always_the_majority(counts: Counts) -> Counts:
    labels: Counter[str] = Counter()
    for (label, _), count in counts.items():
        labels[label] += count
    return Counter({(label, max(labels, key=lambda one: labels[one])): count for label, count in labels.items()})


def to_json(counts: Counts) -> str:
    """`[[label, answer, examples], ...]` in a stable order. TFMA's own matrix plot loses the names of the classes."""
    return json.dumps([[label, answer, count] for (label, answer), count in sorted(counts.items())], ensure_ascii=False)


def _class_score(counts: Counts, name: str) -> float:
    """Undefined when the class never occurs."""
    return class_scores(counts).get(name, math.nan)


# A dict holds values by the names under which they are reported.
FROM_COUNTS: dict[str, Callable[[Counts], Any]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "baseline/accuracy": majority_accuracy,
    "baseline/macro_f1": majority_macro_f1,
    "confusion_matrix": to_json,
    "class_scores": class_scores,
}
