"""Area under the ROC curve over classes whose number is known only to the model."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from components.evaluation.metrics.inputs import label_text, model_outputs, to_text
from components.evaluation.metrics.sums import SumMetric

# Log-odds are kept to a hundredth: two scores closer than that count as a tie. Unlike steps of the score itself, this
# keeps apart the scores near 0 and 1, where a confident model puts most of them. 17 is where float32 cannot tell a
# score from 1.
_STEPS_PER_UNIT = 100
_GREATEST_LOG_ODDS = 17.0

# (class, step, whether the example is of that class) -> number of examples.
Histogram = Counter[tuple[str, int, bool]]


class OneVersusRestAuc(SumMetric):
    """Mean over the classes of the AUC of "this class" against "any other", 0 to 1.

    For two classes that is the plain AUC. Undefined (NaN) where no class has both members and non-members, as in the
    slice of one label. Reads the outputs `classes` and `scores`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, score_steps, one_versus_rest_auc, mean_aucs)


def score_steps(element: Any, model_name: str) -> Histogram:
    """The scores of one example, as a member or non-member of each class; the steps bound the memory of the sums."""
    label, outputs = label_text(element, model_name), model_outputs(element, model_name)
    pairs = zip(np.ravel(outputs["classes"]), np.ravel(outputs["scores"]), strict=True)
    names_and_scores = [(to_text(name), float(score)) for name, score in pairs]
    return Counter((name, log_odds_step(score), name == label) for name, score in names_and_scores)


def log_odds_step(score: float) -> int:
    """The step of a score between 0 and 1; NaN, the mark of a broken model, ranks lowest."""
    if math.isnan(score) or score <= 0.0:
        return round(-_GREATEST_LOG_ODDS * _STEPS_PER_UNIT)
    if score >= 1.0:
        return round(_GREATEST_LOG_ODDS * _STEPS_PER_UNIT)
    log_odds = math.log(score) - math.log1p(-score)
    return round(max(-_GREATEST_LOG_ODDS, min(_GREATEST_LOG_ODDS, log_odds)) * _STEPS_PER_UNIT)


def one_versus_rest_auc(histogram: Histogram) -> float:
    """Mean AUC of the classes that have both members and non-members."""
    return float(mean_aucs(list(histogram), np.array([list(histogram.values())], dtype=float))[0])


def mean_aucs(keys: Sequence[tuple[str, int, bool]], counts: np.ndarray) -> np.ndarray:
    """The mean AUC of each of R histograms.

    Args:
        keys: those of a histogram, each once.
        counts: float (R, K), of each key.

    Returns:
        float (R,), NaN where no class has both members and non-members.
    """
    places: dict[str, list[int]] = {}
    for place, (name, _, _) in enumerate(keys):
        places.setdefault(name, []).append(place)
    wins, pairs = np.zeros((2, len(places), len(counts)))
    for row, of_class in enumerate(places.values()):
        wins[row], pairs[row] = _wins([keys[place] for place in of_class], counts[:, of_class])
    defined = pairs > 0
    areas = np.divide(wins, pairs, out=np.zeros_like(wins), where=defined)
    known = defined.sum(axis=0)
    return np.divide(areas.sum(axis=0), known, out=np.full(len(counts), np.nan), where=known > 0)


def _wins(keys: Sequence[tuple[str, int, bool]], counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often a member scores above a non-member, a tie counting half, and of how many pairs; of one class."""
    steps, ranks = np.unique([step for _, step, _ in keys], return_inverse=True)
    is_member = np.array([member for _, _, member in keys])
    members, others = np.zeros((2, len(counts), len(steps)))
    members[:, ranks[is_member]] = counts[:, is_member]
    others[:, ranks[~is_member]] = counts[:, ~is_member]
    below = np.cumsum(others, axis=1) - others / 2
    return (members * below).sum(axis=1), members.sum(axis=1) * others.sum(axis=1)
