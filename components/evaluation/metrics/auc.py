"""Area under the ROC curve over classes whose number is known only to the model."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.metrics.per_model import PerModelMetric
from components.evaluation.tfma import tfma

# Log-odds are kept to a hundredth: two scores closer than that count as a tie. Unlike steps of the score itself, this
# keeps apart the scores near 0 and 1, where a confident model puts most of them. 17 is where float32 cannot tell a
# score from 1.
_STEPS_PER_UNIT = 100
_GREATEST_LOG_ODDS = 17.0

# (class, step, whether the example is of that class) -> number of examples.
Histogram = Counter[tuple[str, int, bool]]


class OneVersusRestAuc(PerModelMetric):
    """Mean over the classes of the AUC of "this class" against "any other", 0 to 1.

    For two classes that is the plain AUC. Undefined (NaN) where no class has both members and non-members, as in the
    slice of one label.
    """

    def __init__(self, name: str = "auc") -> None:
        super().__init__(_computations, name)


class ScoreHistogram(beam.CombineFn):
    """Counts the scores of members and non-members of each class; the steps bound its memory."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> Histogram:
        """No scores yet."""
        return Counter()

    def add_input(self, accumulator: Histogram, element: Any) -> Histogram:
        """Counts the scores of one example."""
        label = label_text(element, self._key.model_name)
        outputs = model_outputs(element, self._key.model_name)
        for name, score in zip(np.ravel(outputs["classes"]), np.ravel(outputs["scores"]), strict=True):
            name = to_text(name)
            accumulator[name, log_odds_step(float(score)), name == label] += 1
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Histogram]) -> Histogram:
        """Adds up the counts of several workers."""
        total: Histogram = Counter()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Histogram) -> dict[Any, float]:
        """The mean AUC."""
        return {self._key: one_versus_rest_auc(accumulator)}


def _computations(name: str, model_name: str) -> list[Any]:
    key = tfma.metrics.MetricKey(name=name, model_name=model_name)
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=ScoreHistogram(key))]


def log_odds_step(score: float) -> int:
    """The step of a score between 0 and 1; NaN, the mark of a broken model, ranks lowest."""
    if math.isnan(score) or score <= 0.0:
        return round(-_GREATEST_LOG_ODDS * _STEPS_PER_UNIT)
    if score >= 1.0:
        return round(_GREATEST_LOG_ODDS * _STEPS_PER_UNIT)
    log_odds = math.log(score) - math.log1p(-score)
    return round(max(-_GREATEST_LOG_ODDS, min(_GREATEST_LOG_ODDS, log_odds)) * _STEPS_PER_UNIT)


def one_versus_rest_auc(histogram: Histogram) -> float:
    """Mean AUC of the classes that have both members and non-members."""
    areas = [_auc(histogram, name) for name in sorted({name for name, _, _ in histogram})]
    defined = [area for area in areas if not math.isnan(area)]
    return sum(defined) / len(defined) if defined else float("nan")


def _auc(histogram: Histogram, name: str) -> float:
    """Chance that a member scores above a non-member, a tie counting half."""
    steps = sorted({step for other, step, _ in histogram if other == name})
    members = non_members = 0
    wins = 0.0
    for step in steps:
        here, others_here = histogram[name, step, True], histogram[name, step, False]
        wins += here * (non_members + others_here / 2)
        members += here
        non_members += others_here
    return wins / (members * non_members) if members and non_members else float("nan")
