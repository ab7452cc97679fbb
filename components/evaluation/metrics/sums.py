"""The base of our metrics: what each example adds, and what follows from the sums of a slice."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np

from components.evaluation.tfma import tfma

# What is added up, by whatever tells the addends apart.
Sums = Counter[Any]
# From the K keys of sums and R sums of each, float (R, K), to R values, float (R,); what a row lacks is 0 in it.
Results = Callable[[Sequence[Any], np.ndarray], np.ndarray]


class AddUp(beam.CombineFn):
    """Adds up what the examples give, however Beam splits them, and computes a value from the sums.

    Attributes:
        addends: from one example of TFMA to what it adds.
        result: from the sums to the value.
        results: the same of many sums at a time, see `Results`; None where nobody needs it fast.
    """

    def __init__(
        self,
        key: Any,
        addends: Callable[[Any], Mapping[Any, float]],
        result: Callable[[Sums], Any],
        results: Results | None = None,
    ) -> None:
        self._key = key
        self.addends = addends
        self.result = result
        self.results = results

    def create_accumulator(self) -> Sums:
        """Nothing yet."""
        return Counter()

    def add_input(self, accumulator: Sums, element: Any) -> Sums:
        """Adds one example."""
        accumulator.update(self.addends(element))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Sums]) -> Sums:
        """Adds up the sums of several workers."""
        total: Sums = Counter()
        for accumulator in accumulators:
            total.update(accumulator)
        return total

    def extract_output(self, accumulator: Sums) -> dict[Any, Any]:
        """The value."""
        return {self._key: self.result(accumulator)}


class PerModelMetric(tfma.metrics.Metric):
    """A TFMA metric that computes the same for each model, the candidate and the baseline.

    Args:
        computations: function of metric name and model name that gives TFMA's computations.
        name: under which the value is reported.
    """

    def __init__(self, computations: Callable[[str, str], list[Any]], name: str) -> None:
        def create(name: str, model_names: list[str]) -> list[Any]:
            return [computation for model_name in model_names for computation in computations(name, model_name)]

        super().__init__(create, name=name)


class SumMetric(PerModelMetric):
    """A metric that is a function of sums.

    Args:
        name: under which the value is reported.
        addends: from one example of TFMA and the name of the model to what the example adds.
        result: from the sums to the value; NaN where it is undefined.
        results: the same of many sums at a time, for metrics of many of them.
    """

    def __init__(
        self,
        name: str,
        addends: Callable[[Any, str], Mapping[Any, float]],
        result: Callable[[Sums], float],
        results: Results | None = None,
    ) -> None:
        def computations(name: str, model_name: str) -> list[Any]:
            key = tfma.metrics.MetricKey(name=name, model_name=model_name)
            combiner = AddUp(key, lambda element: addends(element, model_name), result, results)
            return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]

        super().__init__(computations, name)


def derived_from_sums(
    name_of_sums: str, addends: Callable[[Any, str], Mapping[Any, float]], values: Callable[[Sums], Any]
) -> Callable[[str, str], list[Any]]:
    """Computations, for `PerModelMetric`, of a metric that shares its sums with others.

    Args:
        name_of_sums: the same for all that share them; the underscore that it begins with keeps them out of the report.
        addends: from one example of TFMA and the name of the model to what the example adds; the same for all, too.
        values: from the sums to the value of the metric, or to several by the names under which they are reported.
    """

    def computations(name: str, model_name: str) -> list[Any]:
        # TFMA does the adding once, however many metrics ask for it.
        sums_key = tfma.metrics.MetricKey(name=name_of_sums, model_name=model_name)

        def result(metrics: dict[Any, Any]) -> dict[Any, Any]:
            found = values(metrics[sums_key])
            by_name = found if isinstance(found, dict) else {name: found}
            return {tfma.metrics.MetricKey(name=key, model_name=model_name): value for key, value in by_name.items()}

        combiner = AddUp(sums_key, lambda element: addends(element, model_name), lambda sums: sums)
        return [
            tfma.metrics.MetricComputation(keys=[sums_key], preprocessors=None, combiner=combiner),
            tfma.metrics.DerivedMetricComputation(
                keys=[tfma.metrics.MetricKey(name=name, model_name=model_name)], result=result
            ),
        ]

    return computations
