"""The examples of an evaluation with what was answered, and what follows from them: ranks, intervals, differences."""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from components.evaluation.bootstrap import Difference, Interval, Table, differences, intervals
from components.evaluation.catalogue import EXAMPLE_COUNT, METRICS, PER_CLASS, main_metric, ranking_metric
from components.evaluation.measures import Measure, as_inputs, measures_of, sum_up
from components.evaluation.predictions import load_predictions
from components.evaluation.settings import EvaluationSettings
from models.registry import TASKS
from pipeline.report.form import Example

_MATRIX = "confusion_matrix"


class Evaluated:
    """What an evaluation says of a model, example by example.

    Args:
        folder: of the evaluation.
        task: key of `models.registry.TASKS`.
        settings: the `evaluation` section.
    """

    def __init__(self, folder: Path, task: str, settings: EvaluationSettings) -> None:
        self.task, self.settings = task, settings
        self.judging = TASKS[task].judging
        self.predictions = load_predictions(folder)
        self.metrics = [name for name in self.judging.metrics if name != EXAMPLE_COUNT]

    @property
    def everything(self) -> np.ndarray:
        """Numbers of all examples."""
        return np.arange(len(self.predictions))

    @property
    def has_previous(self) -> bool:
        """Whether the last blessed model answered the same examples."""
        return bool(self.predictions) and bool(self.predictions[0].previous)

    @property
    def main_metric(self) -> str:
        """The one that the verdict speaks of: the first that has a bound, else the one that ranks examples."""
        return main_metric(self.judging, self.settings)

    @property
    def ranking_metric(self) -> str:
        """The first whose value over one example tells how good that answer is."""
        return ranking_metric(self.judging)

    @property
    def sign(self) -> float:
        """Of the ranking metric: -1 where lower is better."""
        return -1.0 if METRICS[self.ranking_metric].lower_is_better else 1.0

    @functools.cached_property
    def slices(self) -> dict[str, np.ndarray]:
        """Numbers of the examples of each slice."""
        members: dict[str, list[int]] = {}
        for number, prediction in enumerate(self.predictions):
            for name in prediction.slices:
                members.setdefault(name, []).append(number)
        return {name: np.array(numbers) for name, numbers in members.items()}

    @functools.cached_property
    def tables(self) -> list[Table]:
        """What each example adds to each metric."""
        return [Table(measure, self._addends(measure, previous=False)) for measure in self._measures]

    @functools.cached_property
    def previous_tables(self) -> list[Table]:
        """The same of the last blessed model."""
        return [Table(measure, self._addends(measure, previous=True)) for measure in self._measures]

    @functools.cached_property
    def ranks(self) -> list[float]:
        """The ranking metric over each example alone, the greater the better; NaN where it is undefined."""
        name = self.ranking_metric
        tables = (table for table in self.tables if name in table.measure.values(sum_up(table.addends[:1])))
        if (table := next(tables, None)) is None:
            return [math.nan] * len(self.predictions)
        return [self.sign * table.measure.values(sum_up([each]))[name] for each in table.addends]

    def intervals(self, examples: np.ndarray) -> dict[str, Interval]:
        """Each metric over some examples."""
        return {name: found for table in self.tables for name, found in intervals(table, examples).items()}

    @functools.cached_property
    def overall(self) -> dict[str, Interval]:
        """Each metric over all examples."""
        return self.intervals(self.everything)

    @functools.cached_property
    def gains(self) -> dict[str, Difference]:
        """How much greater each metric is than that of the last blessed model; empty without one."""
        if not self.has_previous:
            return {}
        pairs = zip(self.tables, self.previous_tables, strict=True)
        return {name: gain for pair in pairs for name, gain in differences(*pair, self.everything).items()}

    @functools.cached_property
    def shared_outputs(self) -> dict[str, Any]:
        """What the model gave for every example alike, such as the names of classes."""
        if len(self.predictions) < 2:
            return {}
        first, rest = self.predictions[0].outputs, self.predictions[1:]
        return {name: value for name, value in first.items() if all(one.outputs.get(name) == value for one in rest)}

    @functools.cached_property
    def examples(self) -> list[Example]:
        """All of them, as the report has them."""
        return [
            Example(
                number=number,
                features=one.features,
                digest=one.digest,
                right=" ".join(one.right),
                answer=answer_of(one.outputs, self.judging.prediction_key),
                outputs={
                    name: value
                    for name, value in one.outputs.items()
                    if name == self.judging.prediction_key or name not in self.shared_outputs
                },
                previous=answer_of(one.previous, self.judging.prediction_key) if one.previous else "",
                value=None if math.isnan(self.ranks[number]) else self.sign * self.ranks[number],
                slices=one.slices,
            )
            for number, one in enumerate(self.predictions)
        ]

    @functools.cached_property
    def _measures(self) -> list[Measure]:
        kinds = [PER_CLASS[kind] for kind in self.judging.per_class]
        by_class = [name for entry in kinds for name in entry.reported_with if name != _MATRIX]
        measures = measures_of(self.task, self.judging, list(dict.fromkeys([*self.metrics, *by_class])))
        return [measure for measure in measures if self._has_outputs(measure)]

    def _has_outputs(self, measure: Measure) -> bool:
        """Whether what it reads was kept: the scores of thousands of classes were not."""
        try:
            measure.addends(as_inputs(self.predictions[0]))
        except KeyError:
            return False
        return True

    def _addends(self, measure: Measure, previous: bool) -> list[Any]:
        return [measure.addends(as_inputs(one, previous)) for one in self.predictions]


def answers_with_text(evaluated: Evaluated) -> bool:
    """Whether the model answers in words; else an answer is a figure of the example itself."""
    value = np.ravel(
        np.asarray(evaluated.predictions[0].outputs.get(evaluated.judging.prediction_key, ""), dtype=object)
    )
    return bool(len(value)) and isinstance(value[0], str)


def answer_of(outputs: dict[str, Any], key: str) -> str:
    """The answer for people: one text, or the texts or numbers of a sequence with blanks between."""
    values = np.ravel(np.asarray(outputs.get(key, ""), dtype=object))
    return " ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values if value != "")
