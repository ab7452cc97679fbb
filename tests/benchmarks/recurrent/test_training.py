"""Training steps of tiny models, ours and their peers."""

import dataclasses

import pytest

from benchmarks.audio.rounds import TORCH_PYTHON
from benchmarks.recurrent.shapes import SHAPES, Shape
from benchmarks.recurrent.training import PEER, Plan, measure, table, times_as_fast


def tiny(shape: Shape) -> Shape:
    model = shape.model | {"embedding_dim": 6, "hidden_dim": 8}
    return dataclasses.replace(shape, model=model, batch_size=3, length=4, pieces=11)


@pytest.mark.parametrize("name", SHAPES)
def test_both_are_measured_and_of_one_size(name):
    plan = Plan(steps=2, rounds=1, threads=1, torch=TORCH_PYTHON.exists())
    found = measure(tiny(SHAPES[name]), "mixed_bfloat16", plan)
    assert all(one["samples"] == 3 * 2 and one["first_seconds"] > 0 for one in found["figures"].values())
    assert (PEER in found["figures"]) == plan.torch
    measured = [{"name": name, "precision": "mixed_bfloat16", **found}]
    assert f"| {name}, mixed_bfloat16 |" in table({"measured": measured, "processors": 2, **dataclasses.asdict(plan)})


def test_the_ratio_is_the_median_of_those_of_the_rounds():
    figures = {"seqline": {"rounds": [2.0, 9.0, 4.0]}, "PyTorch": {"rounds": [1.0, 3.0, 4.0]}}
    assert times_as_fast(figures) == 2.0
    assert times_as_fast({"seqline": {"rounds": [1.0]}}) is None
