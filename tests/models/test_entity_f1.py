"""Counted in the graph while training: the same as whole entities compared."""

from collections import Counter

import numpy as np
import pytest

from models.entity_f1 import EntityF1

TAGS = ["B-x", "B-y", "I-x", "I-y", "O"]


def entities(tags):
    """First token, tags to the end of each entity."""
    found = []
    for place, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append([place, tag])
        elif tag != "O":
            found[-1].append(tag)
    return map(tuple, found)


def legal(rng, length):
    tags = []
    for _ in range(length):
        goes_on = [f"I-{tags[-1][2:]}"] * 3 if tags and tags[-1] != "O" else []
        tags.append(str(rng.choice(["B-x", "B-y", "O", *goes_on])))
    return tags


def test_it_is_the_f1_of_whole_entities():
    rng = np.random.default_rng(1)
    metric, counts = EntityF1(TAGS), Counter()
    for lengths in ([4, 9, 0], [12, 1, 7]):
        labels = [legal(rng, length) for length in lengths]
        # Mostly the same, so that entities are right, too long, too short and of another type.
        answers = [[*tags[: cut + 1], *legal(rng, len(tags))][: len(tags)] for cut, tags in enumerate(labels)]
        answers[0] = labels[0]
        for label, answer in zip(labels, answers, strict=True):
            wanted, found = set(entities(label)), set(entities(answer))
            counts.update(right=len(wanted & found), all=len(wanted) + len(found))
        longest = max(lengths)
        ids = [
            [[TAGS.index(tag) for tag in row] + [0] * (longest - len(row)) for row in rows]
            for rows in (labels, answers)
        ]
        weights = [[1.0] * length + [0.0] * (longest - length) for length in lengths]
        metric.update_state(np.array(ids[0]), np.array(ids[1]), np.array(weights))
    assert 0 < 2 * counts["right"] / counts["all"] < 1
    assert float(metric.result()) == pytest.approx(2 * counts["right"] / counts["all"])


@pytest.mark.parametrize(
    ("label", "answer", "right"),
    [
        (["B-x", "I-x", "O"], ["B-x", "I-x", "O"], 1),
        (["B-x", "I-x", "O"], ["B-x", "O", "O"], 0),
        (["B-x", "O", "O"], ["B-x", "I-x", "O"], 0),
        (["B-x", "I-x", "O"], ["B-x", "B-x", "O"], 0),
        (["B-x", "B-x", "O"], ["B-x", "B-x", "I-x"], 0.5),
    ],
)
def test_both_ends_must_be_right(label, answer, right):
    metric = EntityF1(TAGS)
    metric.update_state(*(np.array([[TAGS.index(tag) for tag in tags]]) for tags in (label, answer)), np.ones((1, 3)))
    assert float(metric.result()) == pytest.approx(right)
