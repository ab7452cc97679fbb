"""Values, intervals and tests from kept predictions, beside those of the libraries of the field."""

import functools

import numpy as np
import pytest
import sacrebleu
from scipy import stats
from sklearn import metrics as sklearn

from components.evaluation.bootstrap import Table, differences, intervals
from components.evaluation.catalogue import judging_of
from components.evaluation.measures import as_inputs, measures_of
from components.evaluation.predictions import Prediction

CLASSES = ["good", "mixed", "poor"]


@functools.cache
def classified(skill: float = 1.0) -> list[Prediction]:
    """Answers that are the better the greater the skill."""
    rng = np.random.default_rng(3)
    made = []
    for _ in range(400):
        right, noise = rng.integers(3), rng.normal(size=3)
        logits = noise + skill * np.eye(3)[right]
        scores = np.exp(logits) / np.exp(logits).sum()
        outputs = {"classes": CLASSES, "scores": scores.tolist(), "label": [CLASSES[scores.argmax()]]}
        made.append(Prediction(features={"text": "x"}, right=[CLASSES[right]], outputs=outputs))
    return made


def tables(task: str, predictions: list[Prediction], *names: str) -> list[Table]:
    made = measures_of(task, judging_of(task), names)
    return [Table(measure, [measure.addends(as_inputs(one)) for one in predictions]) for measure in made]


def test_classes_are_judged_as_by_sklearn_and_shares_have_the_intervals_of_scipy():
    predictions = classified()
    every = np.arange(len(predictions))
    summed, ranked = tables("text_classification", predictions, "accuracy", "macro_f1", "class_scores", "auc")
    found = intervals(summed, every) | intervals(ranked, every)
    right = [one.right[0] for one in predictions]
    answers = [one.outputs["label"][0] for one in predictions]
    report = sklearn.classification_report(right, answers, output_dict=True)
    assert found["accuracy"].value == pytest.approx(report["accuracy"])
    assert found["macro_f1"].value == pytest.approx(report["macro avg"]["f1-score"])
    assert found["f1/poor"].value == pytest.approx(report["poor"]["f1-score"])
    scores = [one.outputs["scores"] for one in predictions]
    assert found["auc"].value == pytest.approx(sklearn.roc_auc_score(right, scores, multi_class="ovr"), abs=1e-3)

    hits = np.array([one == other for one, other in zip(right, answers, strict=True)], dtype=float)
    expected = stats.bootstrap((hits,), np.mean, n_resamples=2000, method="percentile", rng=1).confidence_interval
    assert (found["accuracy"].low, found["accuracy"].high) == pytest.approx(tuple(expected), abs=0.01)
    for one in found.values():
        assert one.low < one.value < one.high


def test_a_slice_is_judged_by_its_examples_alone():
    predictions = classified()
    members = np.array([number for number, one in enumerate(predictions) if one.right == ["mixed"]])
    [summed] = tables("text_classification", predictions, "accuracy")
    share = np.mean([predictions[number].outputs["label"] == ["mixed"] for number in members])
    assert intervals(summed, members)["accuracy"].value == pytest.approx(share)


def test_corpus_scores_are_those_of_sacrebleu_and_so_are_their_intervals():
    rng = np.random.default_rng(5)
    words = "the a house tree sees runs big old and to".split()
    references = [" ".join(rng.choice(words, 9)) for _ in range(60)]
    answers = [" ".join(word if rng.random() < 0.8 else "wrong" for word in text.split()) for text in references]
    predictions = [
        Prediction(features={"source": "x"}, right=[reference], outputs={"target": answer, "score": -1.0})
        for reference, answer in zip(references, answers, strict=True)
    ]
    found = {
        name: one
        for table in tables("text_to_text", predictions, "bleu", "chrf", "exact_match")
        for name, one in intervals(table, np.arange(60)).items()
    }
    bleu = sacrebleu.BLEU().corpus_score(answers, [references], n_bootstrap=1000)
    assert found["bleu"].value == pytest.approx(bleu.score)
    assert (found["bleu"].high - found["bleu"].low) / 2 == pytest.approx(bleu._ci, rel=0.15)
    assert found["chrf"].value == pytest.approx(sacrebleu.CHRF().corpus_score(answers, [references]).score)
    same = np.mean([one == other for one, other in zip(references, answers, strict=True)])
    assert found["exact_match"].value == pytest.approx(same)


def test_a_difference_is_told_from_chance_where_there_is_one():
    every = np.arange(400)
    [good], [poor] = (tables("text_classification", classified(skill), "accuracy") for skill in (2.0, 1.0))
    gain = differences(good, poor, every)["accuracy"]
    assert gain.low > 0 and gain.p_value < 0.01
    none = differences(poor, poor, every)["accuracy"]
    assert (none.value, none.low, none.high, none.p_value) == (0, 0, 0, 1)
