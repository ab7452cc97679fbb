"""What is reached by one and the same answer, where an example may have many answers or none."""

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Any

from components.evaluation.metrics.inputs import model_outputs, to_texts
from components.evaluation.metrics.sums import SumMetric, Sums


class MajorityShare(SumMetric):
    """Share of the most frequent among all right answers, above 0 to 1; NaN without any.

    Args:
        name: under which it is reported.
        output: of the model, the right answers of an example, "" for none.
    """

    def __init__(self, name: str, output: str) -> None:
        super().__init__(name, functools.partial(_counts, output=output), majority_share)


def _counts(element: Any, model_name: str, output: str) -> Mapping[str, int]:
    return Counter(to_texts(model_outputs(element, model_name)[output]))


def majority_share(sums: Sums) -> float:
    """The greatest count for each one in all."""
    return max(sums.values()) / sums.total() if sums else float("nan")
