"""Bits that a model needs for each sample of a recording."""

import math
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np

from components.evaluation.metrics.inputs import model_outputs
from components.evaluation.metrics.per_model import PerModelMetric
from components.evaluation.tfma import tfma

# Bits, samples.
Sums = tuple[float, int]


class BitsPerSample(PerModelMetric):
    """Cross-entropy in bits over all samples of all clips, so that a long clip counts for more than a short one.

    Reads the outputs `log_prob`, the natural logarithm of a clip's probability, and `num_samples`.
    """

    def __init__(self, name: str = "bits_per_sample") -> None:
        super().__init__(_computations, name)


class SumBits(beam.CombineFn):
    """Adds up bits and samples."""

    def __init__(self, key: Any) -> None:
        self._key = key

    def create_accumulator(self) -> Sums:
        """Nothing yet."""
        return 0.0, 0

    def add_input(self, accumulator: Sums, element: Any) -> Sums:
        """Adds one clip."""
        outputs = model_outputs(element, self._key.model_name)
        log_prob, samples = (np.asarray(outputs[name]).ravel()[0] for name in ("log_prob", "num_samples"))
        return accumulator[0] - float(log_prob) / math.log(2), accumulator[1] + int(samples)

    def merge_accumulators(self, accumulators: Iterable[Sums]) -> Sums:
        """Adds up the sums of several workers."""
        found = list(accumulators)
        return math.fsum(bits for bits, _ in found), sum(samples for _, samples in found)

    def extract_output(self, accumulator: Sums) -> dict[Any, float]:
        """Bits for each sample."""
        bits, samples = accumulator
        return {self._key: bits / samples if samples else math.nan}


def _computations(name: str, model_name: str) -> list[Any]:
    key = tfma.metrics.MetricKey(name=name, model_name=model_name)
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=SumBits(key))]
