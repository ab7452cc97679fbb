"""Reads an evaluation artifact: plain functions for what is told of a run, and for people who look closer."""

import dataclasses
import json
import math
from typing import Any

from components.evaluation.catalogue import BASELINE
from components.evaluation.extractors import slice_name
from components.evaluation.judgement import warnings
from components.evaluation.tfma import tfma
from components.findings import Findings

OVERALL = "overall"
_CANDIDATE = {"", tfma.CANDIDATE_KEY}
_BASELINE = {tfma.BASELINE_KEY}


@dataclasses.dataclass(frozen=True)
class Failure:
    """A bound that the model did not keep.

    Attributes:
        metric: its name, as in the settings.
        value: what was measured; for a regression the new model's value. NaN when it could not be measured.
        bound: what was asked.
        kind: "min", "max" or "regression".
        slice: name of the slice, `overall` for all examples.
        previous: for a regression, the value of the last blessed model.
    """

    metric: str
    value: float
    bound: float
    kind: str
    slice: str = OVERALL
    previous: float = math.nan

    @property
    def message(self) -> str:
        """What was measured, what was asked, and by which setting."""
        subject = self.metric if self.slice == OVERALL else f"{self.metric} on {self.slice}"
        if self.kind == "regression":
            setting = f"evaluation.max_regression.{self.metric}"
            if math.isnan(self.value) or math.isnan(self.previous):
                return f"{subject} could not be compared with the last blessed model's, which was asked ({setting})"
            worse = abs(self.previous - self.value)
            return (
                f"{subject} is {self.value:.4g}, {worse:.4g} worse than the last blessed model's "
                f"{self.previous:.4g}; at most {self.bound:.4g} worse was asked ({setting})"
            )
        asked = f"at {'least' if self.kind == 'min' else 'most'} {self.bound:.4g} was asked"
        if self.metric == "example_count" and math.isnan(self.value):
            return f"the evaluation split holds no examples; {asked}"
        measured = "could not be measured" if math.isnan(self.value) else f"is {self.value:.4g}"
        return f"{subject} {measured}; {asked} (evaluation.thresholds.{self.metric}.{self.kind})"


def load_metrics(uri: str, baseline: bool = False) -> dict[str, dict[str, float]]:
    """The numbers of an evaluation.

    Args:
        uri: folder of the evaluation artifact.
        baseline: True for the numbers of the last blessed model, empty when there was none.

    Returns:
        Values by metric, by slice: `overall`, `label=<label>`, `length=<range>`. A metric that is undefined on a slice
        is left out, and so is what only `judgement` looks at.
    """
    return {
        slice_name: {name: value for name, value in values.items() if not name.startswith(BASELINE)}
        for slice_name, values in _all_metrics(uri, baseline).items()
    }


def _all_metrics(uri: str, baseline: bool) -> dict[str, dict[str, float]]:
    result: dict[str, dict[str, float]] = {}
    for name, key, value in _values(uri, baseline):
        if value.WhichOneof("type") == "double_value" and not math.isnan(value.double_value.value):
            result.setdefault(name, {})[key.name] = value.double_value.value
    # All examples first, then the slices in the order a reader expects: 0-10 before 11-20.
    return dict(sorted(result.items(), key=lambda item: _slice_order(item[0])))


def confusion_matrix(uri: str, slice_name: str = OVERALL, baseline: bool = False) -> dict[str, dict[str, int]]:
    """How often each label was answered with each class: `{label: {answer: examples}}`, without the zeros."""
    result: dict[str, dict[str, int]] = {}
    for found, key, value in _values(uri, baseline):
        if found == slice_name and key.name == "confusion_matrix":
            for label, answer, count in json.loads(value.bytes_value):
                result.setdefault(label, {})[answer] = count
    return result


def failures(uri: str) -> list[Failure]:
    """Every bound that the model did not keep; empty when it passed."""
    validation = tfma.load_validation_result(uri)
    if validation is None or validation.validation_ok:
        return []
    values, previous = load_metrics(uri), load_metrics(uri, baseline=True)
    result = []
    for validated in validation.metric_validations_per_slice:
        slice_name = _slice_name(validated.slice_key)
        for failure in validated.failures:
            result.extend(_failures(failure, slice_name, values.get(slice_name, {}), previous.get(slice_name, {})))
    if not result:
        result.append(Failure("example_count", math.nan, 1.0, "min"))
    return sorted(result, key=lambda failure: (failure.slice != OVERALL, failure.metric, failure.kind))


def findings(uri: str) -> Findings:
    """What is told of an evaluation, in short."""
    values = _all_metrics(uri, baseline=False).get(OVERALL, {})
    shortfalls = [failure.message for failure in failures(uri)]
    return Findings(load_metrics(uri).get(OVERALL, {}), shortfalls, warnings=warnings(values))


def _failures(failure: Any, slice_name: str, values: dict[str, float], previous: dict[str, float]) -> list[Failure]:
    name = failure.metric_key.name
    value = values.get(name, math.nan)
    threshold = failure.metric_threshold
    if threshold.HasField("change_threshold"):
        bound = abs(threshold.change_threshold.absolute.value)
        return [Failure(name, value, round(bound, 8), "regression", slice_name, previous.get(name, math.nan))]
    result = []
    limits = threshold.value_threshold
    if limits.HasField("lower_bound") and not value >= limits.lower_bound.value:
        result.append(Failure(name, value, limits.lower_bound.value, "min", slice_name))
    if limits.HasField("upper_bound") and not value <= limits.upper_bound.value:
        result.append(Failure(name, value, limits.upper_bound.value, "max", slice_name))
    return result


def _values(uri: str, baseline: bool) -> list[tuple[str, Any, Any]]:
    models = _BASELINE if baseline else _CANDIDATE
    return [
        (_slice_name(metrics.slice_key), item.key, item.value)
        for metrics in tfma.load_metrics(uri)
        for item in metrics.metric_keys_and_values
        if item.key.model_name in models and not item.key.is_diff
    ]


def _slice_name(slice_key: Any) -> str:
    parts = [(part.column, getattr(part, part.WhichOneof("kind"))) for part in slice_key.single_slice_keys]
    return slice_name(parts) or OVERALL


def _slice_order(name: str) -> tuple[Any, ...]:
    feature, _, value = name.partition("=")
    start = value.rstrip("+").partition("-")[0]
    is_range = feature == "length" and start.isdigit()
    return (name != OVERALL, feature, int(start) if is_range else 0, value)
