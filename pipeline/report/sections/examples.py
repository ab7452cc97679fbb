"""The examples that a person should look at: the worst, the best, and some drawn at random."""

import math
import random

from pipeline.report.evaluated import Evaluated
from pipeline.report.form import ExampleList, Section
from pipeline.report.source import Source

_WORST, _BEST, _RANDOM = 100, 50, 50


def section(source: Source) -> Section | None:
    """By the metric that ranks examples; those of the same value by how sure the model was of them."""
    evaluated = source.evaluated
    if evaluated is None:
        return None
    return Section(name="examples", title="Examples", blocks=[example_list(evaluated)])


def example_list(evaluated: Evaluated) -> ExampleList:
    """The numbers of the examples."""
    sure = [_certainty(prediction.outputs) for prediction in evaluated.predictions]
    defined = [number for number, rank in enumerate(evaluated.ranks) if not math.isnan(rank)]
    ranked = sorted(defined, key=lambda number: (evaluated.ranks[number], -sure[number], number))
    best = sorted(defined, key=lambda number: (-evaluated.ranks[number], -sure[number], number))
    every = range(len(evaluated.predictions))
    drawn = sorted(random.Random(1).sample(every, min(_RANDOM, len(every))))
    # Where all answers are right none is the worst, and where all are wrong none is the best.
    least, greatest = evaluated.ranks[ranked[0]] if ranked else 0.0, evaluated.ranks[best[0]] if best else 0.0
    worst = [number for number in ranked[:_WORST] if evaluated.ranks[number] < greatest]
    best = [number for number in best[:_BEST] if evaluated.ranks[number] > least]
    return ExampleList(
        title="Worst, best and random examples",
        metric=evaluated.ranking_metric,
        groups={"worst": worst, "best": best, "random": drawn},
    )


def _certainty(outputs: dict) -> float:
    """How sure a model is: its greatest score, where it gives one for each class."""
    scores = outputs.get("scores")
    return max(scores) if "classes" in outputs and isinstance(scores, list) and scores else 0.0
