"""Whether a model is worse than the last blessed one by more than chance (`evaluation.against_baseline`).

Koehn, 2004, "Statistical significance tests for machine translation evaluation", section 3.2: of two systems, one is
better with the confidence that is the share of resamples of the test set in which it is. We ask for more than
`worse_by`, and draw the examples as `bootstrap` does for every metric.
"""

from collections.abc import Sequence

import numpy as np

from components.evaluation.bootstrap import Table, drawn_gains
from components.evaluation.catalogue import judging_of, metric_entry
from components.evaluation.measures import Measure, as_inputs, measures_of
from components.evaluation.predictions import Prediction
from components.evaluation.settings import AgainstBaseline

# A difference such as 0.80 - 0.82 is off by some 1e-17, which must not count as worse by more than 0.02.
_ROUNDING = 1e-9


def shortfalls(predictions: Sequence[Prediction], task: str, rule: AgainstBaseline) -> list[str]:
    """One sentence where the rule refuses the model, with what was measured; none where it passes.

    Args:
        predictions: of the new model and of the last blessed one; without the latter there is nothing to compare.
        task: name of the task.
        rule: what is asked.
    """
    if not predictions or not predictions[0].previous:
        return []
    asked = f"(evaluation.against_baseline, {rule.metric})"
    tables = _tables(predictions, task, rule.metric)
    every = np.arange(len(predictions))
    values = [table.total(every).get(rule.metric, np.nan) for table in tables]
    gains = _gains(tables, every, task, rule.metric) if np.all(np.isfinite(values)) else np.empty(0)
    if not len(gains):
        return [
            f"{rule.metric} could not be compared with the last blessed model's, which was asked {asked}: it is "
            "undefined, or decided by answers of more than 2,000 values, which are not kept; take "
            "evaluation.max_regression for it"
        ]
    sure = float(np.mean(gains < -rule.worse_by - _ROUNDING))
    if sure < rule.confidence:
        return []
    new, old = values
    return [
        f"{rule.metric} is {new:.4g}, {abs(old - new):.4g} worse than the last blessed model's {old:.4g}, and more "
        f"than {rule.worse_by:.4g} worse in {sure:.1%} of {len(gains)} resamples of the {len(predictions)} "
        f"examples; less than {rule.confidence:.1%} was asked {asked}"
    ]


def _gains(tables: Sequence[Table], examples: np.ndarray, task: str, metric: str) -> np.ndarray:
    """How much better the new model is over each resample, float (R,); empty where the two were not both kept."""
    if len(tables) < 2:
        return np.empty(0)
    new, old = tables
    gains = drawn_gains(new, old, examples)[metric]
    sign = -1.0 if _lower_is_better(task, metric) else 1.0
    return sign * gains[np.isfinite(gains)]


def _tables(predictions: Sequence[Prediction], task: str, metric: str) -> list[Table]:
    """Of the new model and of the last blessed one; fewer where their answers were not kept."""
    measure = _measure(task, metric)
    tables = []
    for previous in (False, True):
        try:
            addends = [measure.addends(as_inputs(one, previous)) for one in predictions]
        except KeyError:  # an output of very many values
            continue
        tables.append(Table(measure, addends))
    return tables


def _measure(task: str, metric: str) -> Measure:
    judging = judging_of(task)
    entry = metric_entry(judging, metric)
    # Figures of single classes come with others, of which the matrix is no figure.
    others = [name for name in entry.reported_with if name != "confusion_matrix"] if entry else []
    [measure] = measures_of(task, judging, [metric] if metric in judging.metrics else others)
    return measure


def _lower_is_better(task: str, metric: str) -> bool:
    entry = metric_entry(judging_of(task), metric)
    return entry is not None and entry.lower_is_better
