"""The metrics once more, outside of Beam: from predictions that were kept to sums, and from sums to values.

They are computed by the very functions that TFMA calls, so that a value here is the value of the evaluation.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.evaluation.catalogue import METRICS
from components.evaluation.config import eval_config
from components.evaluation.metrics.sums import AddUp, Results, Sums
from components.evaluation.predictions import Prediction
from components.evaluation.settings import EvaluationSettings
from components.evaluation.tfma import tfma
from models.tasks.task import Judging

_EXAMPLES, _VALUES = "examples", "values"


@dataclass(frozen=True)
class Measure:
    """What the examples add up to, and the values that follow from it.

    Attributes:
        name: the same for measures that share their sums.
        addends: from one example, as `as_inputs` makes it, to what it adds.
        values: from the sums to values by metric; NaN where one is undefined.
        results: of a measure with one metric, its values of many sums at a time; None where sums are few.
    """

    name: str
    addends: Callable[[Any], Mapping[Any, float]]
    values: Callable[[Sums], dict[str, float]]
    results: Results | None = None


def measures_of(task: str, judging: Judging, names: Sequence[str]) -> list[Measure]:
    """One measure for all metrics of the same sums.

    Args:
        task: name of the task.
        judging: how its answers are judged.
        names: keys of `METRICS`; those that count the examples or are no numbers may be left out by the caller.
    """
    settings = eval_config(task, EvaluationSettings())
    shared: dict[str, list[Measure]] = {}
    for name in names:
        measure = _measure(name, judging, settings)
        shared.setdefault(measure.name, []).append(measure)
    return [
        same[0] if len(same) == 1 else Measure(name, same[0].addends, _all_values(same))
        for name, same in shared.items()
    ]


def as_inputs(prediction: Prediction, previous: bool = False) -> Any:
    """An example as TFMA shows it to a metric; `previous` for the answers of the last blessed model."""
    outputs = prediction.previous if previous else prediction.outputs
    return tfma.metrics.StandardMetricInputs(
        labels=np.array([text.encode() for text in prediction.right], dtype=object),
        predictions={name: _array(value) for name, value in outputs.items()},
        example_weights=np.array([1.0]),
    )


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return np.vectorize(str.encode, otypes=[object])(array) if array.dtype.kind == "U" and array.size else array


def _measure(name: str, judging: Judging, settings: Any) -> Measure:
    entry = METRICS[name]
    module = importlib.import_module(entry.module) if entry.module else tfma.metrics
    output = {"output": judging.prediction_key} if entry.takes_output else {}
    metric = getattr(module, entry.class_name)(name=name, **output, **entry.arguments)
    summed, *derived = metric.computations(eval_config=settings, model_names=[""], output_names=[""])
    combiner, [key] = summed.combiner, summed.keys
    if not isinstance(combiner, AddUp):
        return _mean(name, combiner, key)
    if not derived:
        return Measure(name, combiner.addends, lambda sums: {name: combiner.result(sums)}, combiner.results)
    return Measure(key.name, combiner.addends, lambda sums: _named(derived[0].result({key: sums})))


def _mean(name: str, combiner: Any, key: Any) -> Measure:
    """A metric of TFMA's own, which is a mean over the examples."""

    def addends(inputs: Any) -> Mapping[Any, float]:
        accumulator = combiner.add_input(combiner.create_accumulator(), inputs)
        return {_EXAMPLES: 1.0, _VALUES: float(np.ravel(combiner.extract_output(accumulator)[key])[0])}

    def values(sums: Sums) -> dict[str, float]:
        return {name: sums[_VALUES] / sums[_EXAMPLES] if sums[_EXAMPLES] else float("nan")}

    return Measure(name, addends, values)


def _named(result: Mapping[Any, Any]) -> dict[str, float]:
    return {key.name: value for key, value in result.items() if isinstance(value, int | float)}


def _all_values(measures: Sequence[Measure]) -> Callable[[Sums], dict[str, float]]:
    def values(sums: Sums) -> dict[str, float]:
        return {name: value for measure in measures for name, value in measure.values(sums).items()}

    return values


def sum_up(addends: Sequence[Mapping[Any, float]]) -> Sums:
    """All of them together."""
    total: Sums = Counter()
    for each in addends:
        total.update(each)
    return total
