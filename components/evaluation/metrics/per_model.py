"""The base of our metrics."""

from collections.abc import Callable
from typing import Any

from components.evaluation.tfma import tfma


class PerModelMetric(tfma.metrics.Metric):
    """A TFMA metric that computes the same for each model, the candidate and the baseline."""

    def __init__(self, computations: Callable[[str, str], list[Any]], name: str) -> None:
        """Makes the metric.

        Args:
            computations: function of metric name and model name that gives TFMA's computations.
            name: name under which the value is reported.
        """

        def create(name: str, model_names: list[str]) -> list[Any]:
            return [computation for model_name in model_names for computation in computations(name, model_name)]

        super().__init__(create, name=name)
