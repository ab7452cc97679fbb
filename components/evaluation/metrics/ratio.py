"""What a model has of something for each unit of the texts."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.evaluation.metrics.inputs import model_outputs
from components.evaluation.metrics.sums import SumMetric, Sums


class Ratio(SumMetric):
    """The sum of one output over all examples by the sum of another, so that each unit counts the same.

    Args:
        name: under which it is reported.
        output: what is added up, a number for each example.
        units: how many units of it an example has.
    """

    def __init__(self, name: str, output: str, units: str) -> None:
        super().__init__(name, functools.partial(amount_and_units, output=output, units=units), ratio)


def amount_and_units(element: Any, model_name: str, output: str, units: str) -> Mapping[str, float]:
    """What one example adds."""
    outputs = model_outputs(element, model_name)
    amount, count = (float(np.asarray(outputs[name]).ravel()[0]) for name in (output, units))
    return {"amount": amount, "units": count}


def ratio(sums: Sums) -> float:
    """Undefined without any unit."""
    return sums["amount"] / sums["units"] if sums["units"] else math.nan
