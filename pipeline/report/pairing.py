"""The examples that two runs have both evaluated, and how their answers differ."""

import functools
import json
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from components.evaluation.bootstrap import Difference, Table, differences
from pipeline.report.evaluated import Evaluated
from pipeline.report.form import Example


class Pairing:
    """Two evaluations over the examples that stand in both; of one that stands in a split twice, each has its own pair.

    Args:
        first: of the run that is compared with.
        other: of the other run.
    """

    def __init__(self, first: Evaluated, other: Evaluated) -> None:
        self.first, self.other = first, other
        known = dict(_keys(first.examples))
        pairs = [(known[key], number) for key, number in _keys(other.examples) if key in known]
        self.places = {"first": [pair[0] for pair in pairs], "other": [pair[1] for pair in pairs]}

    def __len__(self) -> int:
        return len(self.places["first"])

    @functools.cached_property
    def gains(self) -> dict[str, Difference]:
        """How much greater each metric is in the other run."""
        result: dict[str, Difference] = {}
        if not len(self):
            return result
        for one, before in zip(self.other.tables, self.first.tables, strict=True):
            result |= differences(self._paired(one, "other"), self._paired(before, "first"), np.arange(len(self)))
        return result

    def _paired(self, table: Table, run: str) -> Table:
        return Table(table.measure, [table.addends[place] for place in self.places[run]])

    @property
    def changed(self) -> dict[str, list[int]]:
        """Pairs whose answers differ, the greatest changes first: `better`, `worse` and `as good` in the other run."""
        groups: dict[str, list[tuple[float, int]]] = {"worse": [], "better": [], "as good": []}
        for pair, (first, other) in enumerate(zip(*self.places.values(), strict=True)):
            if self.first.examples[first].answer != self.other.examples[other].answer:
                gain = self.other.ranks[other] - self.first.ranks[first]
                name = "better" if gain > 0 else "worse" if gain < 0 else "as good"
                groups[name].append((-abs(gain), pair))
        return {name: [pair for _, pair in sorted(found)] for name, found in groups.items()}

    def example(self, pair: int, number: int) -> Example:
        """The example of the other run under a new number, with the answer of the first as that of before."""
        first = self.first.examples[self.places["first"][pair]]
        other = self.other.examples[self.places["other"][pair]]
        return other.model_copy(update={"number": number, "previous": first.answer})

    def mcnemar(self) -> tuple[int, int, float] | None:
        """McNemar's exact test (1947), where each answer is right or wrong.

        Returns:
            How many only the other run has right, how many only the first has right, and the p-value; None where
            answers are more or less good.
        """
        ranks = [
            np.array(evaluated.ranks)[places]
            for evaluated, places in zip((self.first, self.other), self.places.values(), strict=True)
        ]
        if not len(self) or not all(np.isin(values, (0.0, 1.0)).all() for values in ranks):
            return None
        gained, lost = int(np.sum(ranks[1] > ranks[0])), int(np.sum(ranks[1] < ranks[0]))
        return gained, lost, float(stats.binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def _keys(examples: Sequence[Example]) -> Iterator[tuple[tuple[str, int], int]]:
    """What tells each example from the others, and its number. Recordings of one label may have the same texts."""
    seen: Counter[str] = Counter()
    for one in examples:
        told = json.dumps([one.features, one.right, one.digest], sort_keys=True)
        yield (told, seen[told]), one.number
        seen[told] += 1
