"""The mean of a number that the model says of each example."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.evaluation.metrics.inputs import model_outputs
from components.evaluation.metrics.sums import SumMetric, Sums


class MeanOutput(SumMetric):
    """Mean over the examples, each counting the same.

    Args:
        name: under which it is reported.
        output: the number.
    """

    def __init__(self, name: str, output: str) -> None:
        super().__init__(name, functools.partial(value_and_count, output=output), mean)


def value_and_count(element: Any, model_name: str, output: str) -> Mapping[str, float]:
    """What one example adds."""
    return {"value": float(np.ravel(model_outputs(element, model_name)[output])[0]), "examples": 1}


def mean(sums: Sums) -> float:
    """The mean; undefined without examples."""
    return sums["value"] / sums["examples"] if sums["examples"] else math.nan
