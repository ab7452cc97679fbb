"""A model is refused where it is worse than the last blessed one by more than chance."""

import numpy as np
import pytest
from scipy import stats

from components.evaluation.predictions import Prediction
from components.evaluation.settings import AgainstBaseline
from components.evaluation.significance import shortfalls


def answered(right: int, wrong: int, gained: int, lost: int) -> list[Prediction]:
    """Examples that both models have right, both wrong, the new one alone right, the old one alone right."""
    kinds = [("a", "a")] * right + [("b", "b")] * wrong + [("a", "b")] * gained + [("b", "a")] * lost
    return [
        Prediction(
            features={"text": "x"},
            right=["a"],
            outputs={"classes": ["a", "b"], "scores": [0.6, 0.4], "label": [new]},
            previous={"classes": ["a", "b"], "scores": [0.6, 0.4], "label": [old]},
        )
        for new, old in kinds
    ]


def refused(predictions: list[Prediction], **rule: float) -> bool:
    return bool(shortfalls(predictions, "text_classification", AgainstBaseline(metric="accuracy", **rule)))


def test_a_difference_that_chance_explains_passes_and_a_clear_one_does_not():
    assert not refused(answered(60, 30, gained=4, lost=6)), "0.02 worse over 100 examples"
    assert refused(answered(600, 300, gained=20, lost=80)), "0.06 worse over 1,000 examples"
    assert not refused(answered(600, 300, gained=80, lost=20)), "better"
    assert not refused(answered(60, 40, gained=0, lost=0)), "the same answers"


def test_the_share_of_resamples_is_that_of_the_normal_approximation():
    predictions = answered(700, 240, gained=25, lost=35)
    # The gain of one example is 1, 0 or -1; its mean over 1,000 examples is nearly normal.
    gains = np.array([0] * 940 + [1] * 25 + [-1] * 35)
    expected = stats.norm.cdf(0 - 0.0005, gains.mean(), gains.std() / np.sqrt(1000))
    assert 0.85 < expected < 0.95
    assert refused(predictions, confidence=expected - 0.03)
    assert not refused(predictions, confidence=expected + 0.03)


def test_what_may_be_worse_is_not_refused():
    predictions = answered(600, 300, gained=20, lost=80)
    assert refused(predictions, worse_by=0.03)
    assert not refused(predictions, worse_by=0.06), "as much as was allowed"
    assert not refused(predictions, worse_by=0.03, confidence=0.9999)


@pytest.mark.parametrize("better", [0.5, 2.0])
def test_where_lower_is_better_the_sign_turns(better: float):
    predictions = [
        Prediction(
            features={"text": "x"},
            right=[""],
            outputs={"log_prob": -better * (3 + n % 3), "num_units": 3.0},
            previous={"log_prob": -1.0 * (3 + n % 3), "num_units": 3.0},
        )
        for n in range(60)
    ]
    found = shortfalls(predictions, "language_modeling", AgainstBaseline(metric="perplexity"))
    assert bool(found) == (better > 1)


def test_a_first_model_passes_and_answers_that_were_not_kept_cannot_be_compared():
    first = [one.model_copy(update={"previous": {}}) for one in answered(1, 9, 0, 0)]
    assert not refused(first)
    cut = [one.model_copy(update={"previous": {"classes": ["a"]}}) for one in answered(9, 1, 0, 0)]
    [told] = shortfalls(cut, "text_classification", AgainstBaseline(metric="accuracy"))
    assert told.startswith("accuracy could not be compared with the last blessed model's")
    [told] = shortfalls(answered(9, 1, 0, 0), "text_classification", AgainstBaseline(metric="f1/c"))
    assert told.startswith("f1/c could not be compared")
