"""How much alike answers are: a model that says the same whatever it is asked has learned nothing of its input."""

import functools
import zlib
from collections.abc import Mapping
from typing import Any

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.metrics.sums import SumMetric, Sums

# Texts are counted by a digest, so that a large split does not fill the memory. Two that share one are rare enough.
_BUCKETS = 2**20


class MostFrequentShare(SumMetric):
    """Share of the examples that have the most frequent answer, above 0 to 1; NaN without examples.

    Args:
        name: under which it is reported.
        output: the answer that is looked at; "" for the right one.
    """

    def __init__(self, name: str, output: str = "") -> None:
        super().__init__(name, functools.partial(_digest, output=output), most_frequent_share)


def _digest(element: Any, model_name: str, output: str) -> Mapping[int, int]:
    text = to_text(model_outputs(element, model_name)[output]) if output else label_text(element, model_name)
    return {zlib.crc32(text.encode()) % _BUCKETS: 1}


def most_frequent_share(sums: Sums) -> float:
    """The greatest count for each one in all."""
    return max(sums.values()) / sums.total() if sums else float("nan")
