from collections import Counter

import pytest

from components.example_gen.splits import split_at, split_of


def test_the_split_depends_on_the_key_alone_and_meets_the_sizes():
    sizes = {"train": 8, "eval": 1, "test": 1}
    splits = [split_of(f"text {number}", sizes) for number in range(10_000)]
    assert splits == [split_of(f"text {number}", sizes) for number in range(10_000)]
    assert Counter(splits)["train"] / 10_000 == pytest.approx(0.8, abs=0.02)
    assert Counter(splits)["eval"] / 10_000 == pytest.approx(0.1, abs=0.01)


def test_known_split():
    """Fixed for good: a changed rule would move examples from train to eval between two runs."""
    assert [split_of(text, {"train": 1, "eval": 1}) for text in ("a", "b", "c", "d")] == [
        "train",
        "train",
        "train",
        "eval",
    ]


def test_splits_by_order_follow_one_another_and_meet_the_sizes():
    sizes = {"train": 8, "eval": 1, "test": 1}
    splits = [split_at(position, 25, sizes) for position in range(25)]
    assert splits == ["train"] * 20 + ["eval"] * 3 + ["test"] * 2
    assert [split_at(position, 2, {"train": 9, "eval": 1}) for position in range(2)] == ["train", "train"]
