"""How often each class was taken for each other one: the base of all our classification metrics but AUC.

TFMA's classification metrics want the classes as numbers when the evaluation is configured. Ours are learned by the run
itself, so they are read from the model's answers; a label never seen in training is then simply never answered.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.tfma import tfma

# (label of the example, answer of the model) -> number of examples.
Counts = Counter[tuple[str, str]]


class ConfusionCounts(beam.CombineFn):
    """Counts pairs of label and answer."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> Counts:
        """No pairs yet."""
        return Counter()

    def add_input(self, accumulator: Counts, element: Any) -> Counts:
        """Counts one example."""
        model_name = self._key.model_name
        accumulator[label_text(element, model_name), to_text(model_outputs(element, model_name)["label"])] += 1
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Counts]) -> Counts:
        """Adds up the counts of several workers."""
        total: Counts = Counter()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Counts) -> dict[Any, Counts]:
        """The counts, under a private key."""
        return {self._key: accumulator}


def derived_from_counts(name: str, model_name: str, values: Callable[[Counts], dict[str, Any]]) -> list[Any]:
    """TFMA's description of metrics that follow from the counts.

    Args:
        name: name of the metric.
        model_name: the model to compute it for.
        values: function of the counts that gives values by reported name.

    Returns:
        The counting, which TFMA does once however many metrics ask for it, and what follows from it.
    """
    # The underscore keeps the counts out of the report.
    counts_key = tfma.metrics.MetricKey(name="_confusion_counts", model_name=model_name)

    def result(metrics: dict[Any, Any]) -> dict[Any, Any]:
        return {
            tfma.metrics.MetricKey(name=value_name, model_name=model_name): value
            for value_name, value in values(metrics[counts_key]).items()
        }

    return [
        tfma.metrics.MetricComputation(keys=[counts_key], preprocessors=None, combiner=ConfusionCounts(counts_key)),
        tfma.metrics.DerivedMetricComputation(
            keys=[tfma.metrics.MetricKey(name=name, model_name=model_name)], result=result
        ),
    ]
