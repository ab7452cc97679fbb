"""How often a new model is refused that is as good as the last blessed one: by the plain bound, and by the test.

    python -m benchmarks.studies.refusals

draws pairs of models. Each example has a difficulty of its own, which both models meet, so that their answers agree as
those of two trainings do; either is right with the probability that follows. A pair is refused by
`evaluation.max_regression` where the new model's accuracy is lower by more than allowed, and by
`evaluation.against_baseline` as the evaluation itself decides.
"""

from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from components.evaluation.predictions import Prediction
from components.evaluation.settings import AgainstBaseline
from components.evaluation.significance import shortfalls

ACCURACY, ALLOWED = 0.8, 0.02
# Pairs agree on about nine of ten examples: most are easy for both or hard for both.
EASY, HARD = (ACCURACY * 0.7, (1 - ACCURACY) * 0.7)
RULES = {
    "against_baseline": AgainstBaseline(metric="accuracy"),
    f"against_baseline, worse_by {ALLOWED}": AgainstBaseline(metric="accuracy", worse_by=ALLOWED),
}


def main(
    pairs: Annotated[int, typer.Option(help="Pairs of models for each size.")] = 200,
    sizes: Annotated[list[int], typer.Option(help="Evaluated examples.")] = [100, 400, 1600],  # noqa: B006
    losses: Annotated[list[float], typer.Option(help="How much worse the new model truly is.")] = [0, 0.02, 0.05],  # noqa: B006
) -> None:
    """Prints a row for each size and each true loss."""
    names = ["max_regression 0", f"max_regression {ALLOWED}", *RULES]
    table = Table("examples", "truly worse by", *names)
    for size in sizes:
        for loss in losses:
            rng = np.random.default_rng(1)
            refusals = [refused(rng, size, loss) for _ in track(range(pairs), f"{size} examples, {loss} worse")]
            table.add_row(str(size), f"{loss:g}", *(f"{share:.1%}" for share in np.mean(refusals, axis=0)))
    Console(width=120).print(table)


def refused(rng: np.random.Generator, size: int, loss: float) -> list[bool]:
    """Whether each rule refuses the new model of a pair."""
    kind = rng.random(size)
    between = (kind >= EASY) & (kind < 1 - HARD)
    # Where neither is sure, the old model is right by ACCURACY, and the new one less often by what it is worse.
    chances = [np.where(between, ACCURACY - worse / (1 - EASY - HARD), kind < EASY) for worse in (0.0, loss)]
    old, new = (rng.random(size) < chance for chance in chances)
    fall = old.mean() - new.mean()
    predictions = [_prediction(bool(one), bool(other)) for one, other in zip(new, old, strict=True)]
    tested = [bool(shortfalls(predictions, "text_classification", rule)) for rule in RULES.values()]
    return [bool(fall > 1e-9), bool(fall > ALLOWED + 1e-9), *tested]


def _prediction(new: bool, old: bool) -> Prediction:
    answers = ({"classes": ["a", "b"], "scores": [0.5, 0.5], "label": ["a" if right else "b"]} for right in (new, old))
    return Prediction(features={}, right=["a"], outputs=next(answers), previous=next(answers))


if __name__ == "__main__":
    typer.run(main)
