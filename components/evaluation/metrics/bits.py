"""Bits that a model needs for each unit of a sequence, and what follows from them."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.evaluation.metrics.inputs import model_outputs
from components.evaluation.metrics.sums import SumMetric, Sums


class BitsPerUnit(SumMetric):
    """Cross-entropy in bits over all units of all examples, so that a long one counts for more than a short one.

    Args:
        name: under which it is reported.
        output: natural logarithm of an example's probability.
        units: output that says how many units the example has.
    """

    def __init__(self, name: str, output: str, units: str) -> None:
        super().__init__(name, functools.partial(bits_and_units, output=output, units=units), bits_per_unit)


class CrossEntropy(SumMetric):
    """The same in nats; arguments as of `BitsPerUnit`."""

    def __init__(self, name: str, output: str, units: str) -> None:
        super().__init__(name, functools.partial(bits_and_units, output=output, units=units), nats_per_unit)


class Perplexity(SumMetric):
    """2 to the power of the bits of a unit (Jelinek et al., 1977); arguments as of `BitsPerUnit`."""

    def __init__(self, name: str, output: str, units: str) -> None:
        super().__init__(name, functools.partial(bits_and_units, output=output, units=units), perplexity)


def bits_and_units(element: Any, model_name: str, output: str, units: str) -> Mapping[str, float]:
    """What one example adds."""
    outputs = model_outputs(element, model_name)
    log_prob, count = (np.asarray(outputs[name]).ravel()[0] for name in (output, units))
    return {"bits": -float(log_prob) / math.log(2), "units": int(count)}


def bits_per_unit(sums: Sums) -> float:
    """The bits of all examples for each of their units."""
    return sums["bits"] / sums["units"] if sums["units"] else math.nan


def nats_per_unit(sums: Sums) -> float:
    """The natural logarithm in place of that to the base of 2."""
    return bits_per_unit(sums) * math.log(2)


def perplexity(sums: Sums) -> float:
    """How many units, all as probable, would be as hard to tell; beyond all numbers infinite."""
    try:
        return 2.0 ** bits_per_unit(sums)
    except OverflowError:
        return math.inf
