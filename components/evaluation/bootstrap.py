"""Confidence intervals and paired tests by the bootstrap over examples (Efron & Tibshirani, 1993, chapters 13 and 15).

A resample of the examples is a weight for each of them, so that what they add up to is a product of matrices, and a
metric of the corpus stays one: what sacrebleu does for BLEU and chrF (Koehn, 2004) is done here for every metric.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from components.evaluation.measures import Measure
from components.evaluation.metrics.sums import Sums

CONFIDENCE = 0.95
_RESAMPLES, _FEWEST = 1000, 200
# Metrics of more sums than this, such as those of every step of a score, are resampled less often.
_MANY_SUMS = 500
_CHUNK = 50
_SEED = 1


@dataclass(frozen=True)
class Interval:
    """A value with the range in which it would lie, had other examples of the same kind been drawn.

    Attributes:
        value: over the examples.
        low: lower end of the 95 % percentile interval; NaN where no resample defines the value.
        high: upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """How much greater a value is than another over the same examples.

    Attributes:
        value: the difference.
        low: lower end of the 95 % percentile interval.
        high: upper end.
        p_value: how often chance alone would give a difference of this size or a greater one, to either side, from the
            resamples, as sacrebleu's paired bootstrap has it.
    """

    value: float
    low: float
    high: float
    p_value: float


class Table:
    """What each example adds to the sums of a measure.

    Args:
        measure: whose sums they are.
        addends: of each example.
    """

    def __init__(self, measure: Measure, addends: Sequence[Mapping[Any, float]]) -> None:
        self.measure, self.addends = measure, list(addends)
        self._keys = list(dict.fromkeys(key for each in self.addends for key in each))
        self._amounts = amounts(self.addends, self._keys)
        # What no drawn example has is not among the sums: zero is something else to some metrics.
        self._present = amounts([dict.fromkeys(each, 1.0) for each in self.addends], self._keys)

    @property
    def resamples(self) -> int:
        """How many are worth their time."""
        return _RESAMPLES if len(self._keys) <= _MANY_SUMS else _FEWEST

    def total(self, examples: np.ndarray) -> dict[str, float]:
        """Values over some examples, by their numbers, int (M,)."""
        [sums] = self._part(examples).sums(np.ones((1, len(examples))))
        return self.measure.values(sums)

    def drawn(self, examples: np.ndarray) -> Iterator[dict[str, float]]:
        """Values over each resample of these examples, int (M,); the same ones are drawn for every table."""
        generator, size, part = np.random.default_rng(_SEED), len(examples), self._part(examples)
        for start in range(0, self.resamples, _CHUNK):
            picked = generator.integers(size, size=(min(_CHUNK, self.resamples - start), size))
            weights = np.stack([np.bincount(row, minlength=size) for row in picked]).astype(float)
            yield from part.values(self.measure, weights)

    def _part(self, examples: np.ndarray) -> "_Part":
        amounts, present = self._amounts[examples], self._present[examples]
        used = np.unique(present.indices)
        return _Part([self._keys[place] for place in used], amounts[:, used], present[:, used])


def amounts(addends: Sequence[Mapping[Any, float]], keys: Sequence[Any]) -> sparse.csr_array:
    """What each example adds to each of these keys, (M, K)."""
    place = {key: index for index, key in enumerate(keys)}
    rows = np.repeat(np.arange(len(addends)), [len(each) for each in addends])
    columns = np.array([place[key] for each in addends for key in each], dtype=int)
    values = np.array([value for each in addends for value in each.values()], dtype=float)
    return sparse.csr_array((values, (rows, columns)), shape=(len(addends), len(keys)))


class _Part(NamedTuple):
    """Some of the examples: what each adds to each sum (M, K), and to which it adds anything (M, K)."""

    keys: list[Any]
    amounts: sparse.csr_array
    present: sparse.csr_array

    def values(self, measure: Measure, weights: np.ndarray) -> Iterator[dict[str, float]]:
        """Weights float (R, M) to the values of each row."""
        if measure.results is None:
            return map(measure.values, self.sums(weights))
        return ({measure.name: float(value)} for value in measure.results(self.keys, weights @ self.amounts))

    def sums(self, weights: np.ndarray) -> Iterator[Sums]:
        """Weights float (R, M) to the sums of each row."""
        for row, there in zip(weights @ self.amounts, weights @ self.present, strict=True):
            yield Counter({key: value for key, value, count in zip(self.keys, row, there, strict=True) if count})


def intervals(table: Table, examples: np.ndarray) -> dict[str, Interval]:
    """Each value of a measure over some examples, int (M,), with its interval."""
    values, drawn = table.total(examples), list(table.drawn(examples))
    return {name: Interval(value, *_ends([each.get(name, np.nan) for each in drawn])) for name, value in values.items()}


def differences(new: Table, old: Table, examples: np.ndarray) -> dict[str, Difference]:
    """How much greater the values of one table are than those of another, over the same examples."""
    values, before = new.total(examples), old.total(examples)
    result = {}
    for name, gains in drawn_gains(new, old, examples).items():
        gain = values[name] - before[name]
        result[name] = Difference(gain, *_ends(gains), p_value=_p_value(gain, gains))
    return result


def drawn_gains(new: Table, old: Table, examples: np.ndarray) -> dict[str, np.ndarray]:
    """By metric, how much greater it is over each resample, float (R,); NaN where a resample does not define it."""
    before = old.total(examples)
    names = [name for name in new.total(examples) if name in before]
    drawn = list(zip(new.drawn(examples), old.drawn(examples), strict=False))
    return {name: np.array([one.get(name, np.nan) - other.get(name, np.nan) for one, other in drawn]) for name in names}


def _ends(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    finite = [value for value in values if np.isfinite(value)]
    if not finite:
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _p_value(gain: float, gains: np.ndarray) -> float:
    finite = gains[np.isfinite(gains)]
    if not len(finite):
        return float("nan")
    extreme = np.sum(np.abs(finite - finite.mean()) >= abs(gain) - 1e-12)
    return float((extreme + 1) / (len(finite) + 1))
