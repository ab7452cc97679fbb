"""A model that is no better than an answer without a look at the input is told as such."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evaluation.judgement import warnings
from components.evaluation.metrics.confusion import Counts, majority_accuracy, majority_macro_f1
from components.evaluation.metrics.sameness import MostFrequentShare
from components.evaluation.results import findings, load_metrics
from components.evaluation.settings import EvaluationSettings
from tests.components.evaluation.test_evaluation import GERMAN, PAIRS, evaluate
from tests.components.evaluation.test_metrics import combine, pair
from tests.components.evaluation.tiny_models import ROWS, SENTIMENT, KeywordClassifier, Translator

MAJORITY = "of the most frequent label for every example"
JUDGED = [
    ({"accuracy": 0.5, "baseline/accuracy": 0.5}, [f"accuracy is 0.5, no better than the 0.5 {MAJORITY}"]),
    ({"accuracy": 0.3, "baseline/accuracy": 0.6}, [f"accuracy is 0.3, no better than the 0.6 {MAJORITY}"]),
    ({"accuracy": 0.6 + 1e-12, "baseline/accuracy": 0.6}, ["accuracy is 0.6"]),
    ({"accuracy": 0.61, "baseline/accuracy": 0.6}, []),
    ({"accuracy": 0.5}, []),
    ({"accuracy": 1.0, "baseline/accuracy": 1.0}, []),
    ({"auc": 0.5}, ["auc is 0.5, no better than the 0.5 of a guess"]),
    ({"auc": 0.51}, []),
    ({"bits_per_sample": 8.2}, ["bits_per_sample is 8.2, no better than the 8 of a guess among all 256 levels"]),
    ({"bits_per_sample": 4.0}, []),
    ({"baseline/answers_alike": 1.0, "baseline/right_answers_alike": 0.1}, ["the model gives one and the same"]),
    ({"baseline/answers_alike": 1.0, "baseline/right_answers_alike": 1.0}, []),
    ({"baseline/answers_alike": 0.99, "baseline/right_answers_alike": 0.1}, []),
    ({"macro_f1": 0.3, "baseline/macro_f1": 0.4, "example_count": 9.0}, ["macro_f1 is 0.3, no better than the 0.4"]),
]


@pytest.mark.parametrize(("values", "told"), JUDGED, ids=[str(values) for values, _ in JUDGED])
def test_what_is_told(values: dict[str, float], told: list[str]):
    found = warnings(values)
    assert len(found) == len(told)
    assert all(text.startswith(start) for text, start in zip(found, told, strict=True))


def test_the_majority_by_hand():
    counts = Counts({("a", "a"): 1, ("a", "b"): 3, ("b", "b"): 2, ("c", "a"): 1})
    assert majority_accuracy(counts) == 4 / 7
    # Of "a": precision 4/7, recall 1; of b and c: 0.
    assert majority_macro_f1(counts) == pytest.approx(2 * (4 / 7) / (4 / 7 + 1) / 3)


@pytest.mark.parametrize(("output", "share"), [("text", 3 / 4), ("", 2 / 4)])
def test_the_share_of_the_most_frequent_answer(output: str, share: float):
    pairs = [("x", "same"), ("x", "same"), ("y", "same"), ("z", "other")]
    elements = [pair(right, {"text": np.array(answer.encode(), dtype=object)}) for right, answer in pairs]
    assert combine(MostFrequentShare("m", output), elements, parts=2) == share


MODELS: list[tuple[str, Any, list[dict[str, str]], list[str]]] = [
    ("text_classification", KeywordClassifier(SENTIMENT), ROWS, []),
    (
        "text_classification",
        KeywordClassifier({"neg": "bad", "pos": "excellent"}),
        ROWS,
        ["accuracy is 0.5, no better"],
    ),
    ("text_to_text", Translator(GERMAN), PAIRS, []),
    ("text_to_text", Translator({".*": ""}), PAIRS, ["the model gives one and the same answer, or an empty one"]),
]


@pytest.mark.parametrize(("task", "model", "rows", "told"), MODELS, ids=["good", "majority", "translates", "is silent"])
def test_a_whole_evaluation_says_so(tmp_path: Path, task: str, model: Any, rows: list[Any], told: list[str]):
    if task == "text_to_text" and told:
        # `\b.*\b` leaves nothing of a text.
        model = Translator({r"\w.*\w": ""})
    uri = evaluate(tmp_path, task, EvaluationSettings.model_validate({"length_buckets": []}), rows, model)
    found = findings(uri)
    assert bool(found.warnings) == bool(told)
    assert all(any(text.startswith(start) for text in found.warnings) for start in told)
    assert not any(name.startswith("baseline/") for values in load_metrics(uri).values() for name in values)
