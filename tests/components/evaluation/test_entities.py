"""Entity scores beside conlleval's rules, read once more, and cases counted by hand."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from components.evaluation.catalogue import METRICS, check_metric_names
from components.evaluation.metrics.entities import EntityMetric, counts_of, entities, entity_scores, macro_f1, overall
from components.evaluation.metrics.mean_output import MeanOutput
from components.evaluation.settings import EvaluationSettings
from tests.components.evaluation.test_metrics import Element, combine


def element(labels, answers, padded=0):
    encoded = (np.array([text.encode() for text in texts], object) for texts in (labels, [*answers, *[""] * padded]))
    label, answer = encoded
    return Element(label, {"tags": answer})


def conlleval(tags):
    """The rules of conlleval.pl: endOfChunk and startOfChunk, over tags of which any may follow any."""
    found, begin = set(), 0
    before, kind_before = "O", ""
    for place, tag in enumerate([*tags, "O"]):
        now, _, kind = tag.partition("-")
        ends = (
            (before, now) in {("B", "B"), ("B", "O"), ("I", "B"), ("I", "O"), ("E", "E"), ("E", "I"), ("E", "O")}
            or (before != "O" and kind_before != kind)
            or (before == "S" or (before != "O" and now == "S") or (before == "E" and now == "B"))
        )
        if ends and kind_before:
            found.add((begin, place - 1, kind_before))
        starts = (
            (before, now) in {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I"), ("E", "E"), ("E", "I"), ("O", "E")}
            or now in ("B", "S")
            or (now != "O" and kind_before != kind)
            or (before == "S" and now in ("I", "E"))
        )
        if starts:
            begin = place
        before, kind_before = now, kind
    return found


@pytest.mark.parametrize("prefixes", ["BI", "BIES"])
def test_entities_are_those_of_conlleval_whatever_follows_what(prefixes):
    rng = random.Random(1)
    tags = ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in ("x", "y"))]
    for _ in range(2000):
        sequence = rng.choices(tags, k=rng.randint(0, 6))
        assert set(entities(sequence)) == conlleval(sequence), sequence


def test_entities_by_hand():
    assert entities("B-a I-a O B-a B-a I-b".split()) == [(0, 1, "a"), (3, 3, "a"), (4, 4, "a"), (5, 5, "b")]
    assert entities(["NOUN", "O", "NOUN", "NOUN", "X-y"]) == [
        (0, 0, "NOUN"),
        (2, 2, "NOUN"),
        (3, 3, "NOUN"),
        (4, 4, "X-y"),
    ]
    assert entities([]) == []


ELEMENTS = [
    # One right; one too short; one of another type.
    element("B-a I-a O B-b I-b B-a".split(), "B-a I-a O B-b O B-b".split(), padded=3),
    # One that is none; an answer shorter than the text, as of one that is cut off.
    element("O O B-c".split(), "B-a O".split()),
]


def value(name, parts=2):
    metric = EntityMetric(name, output="tags")
    sums = combine(metric, ELEMENTS, parts)
    [derived] = metric.computations(model_names=[""])[1:]
    [key] = metric.computations(model_names=[""])[0].keys
    found = {each.name: score for each, score in derived.result({key: sums}).items()}
    return found if len(found) > 1 else found.get(name)


def test_scores_by_hand():
    # Answered: a(0-1), b(3-3), b(5-5), a(0-0). Labelled: a(0-1), b(3-4), a(5-5), c(2-2). Right: one.
    assert value("entity_precision") == 1 / 4
    assert value("entity_recall") == 1 / 4
    assert value("entity_f1") == 1 / 4
    assert value("token_accuracy") == 5 / 9
    scores = value("entity_scores")
    assert (scores["entity_precision/a"], scores["entity_recall/a"], scores["entity_f1/a"]) == (1 / 2, 1 / 2, 1 / 2)
    assert (scores["entity_precision/b"], scores["entity_f1/c"]) == (0, 0)
    assert value("macro_entity_f1") == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert value("entity_f1/a") == 1 / 2
    assert math.isnan(value("entity_f1/z"))


def test_the_counts_add_up_however_they_are_split():
    whole = sum((Counter(counts_of(each, "", "tags")) for each in ELEMENTS), Counter())
    for parts in (1, 2, 5):
        assert combine(EntityMetric("entity_f1", output="tags"), ELEMENTS, parts) == whole


def test_nothing_is_undefined_and_no_entity_is_zero():
    assert math.isnan(overall(Counter(), "entity_f1")) and math.isnan(macro_f1(Counter()))
    counts = Counter(counts_of(element(["O"], ["O"]), "", "tags"))
    assert overall(counts, "entity_f1") == 0
    assert entity_scores(counts) == {}


def test_the_mean_of_an_output():
    elements = [Element(None, {"same_cut": np.float32(share)}) for share in (1, 0, 1)]
    assert combine(MeanOutput("same_cut", output="same_cut"), elements, 2) == pytest.approx(2 / 3)
    assert math.isnan(combine(MeanOutput("same_cut", output="same_cut"), [], 2))


def test_a_score_of_a_type_may_have_a_threshold():
    settings = EvaluationSettings.model_validate({"thresholds": {"entity_f1/person": {"min": 0.4}}})
    check_metric_names("sequence_labeling", settings)
    assert {"entity_scores", "entity_f1"} <= set(METRICS)
