"""How far apart two distributions are, and how far they would be by chance."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial.distance import jensenshannon

from components.evaluation.bootstrap import amounts

_DRAWS, _SEED, _CONFIDENCE = 200, 1, 0.95

Counts = Mapping[Hashable, float]


@dataclass(frozen=True)
class Distance:
    """A Jensen-Shannon distance.

    Attributes:
        value: square root of the Jensen-Shannon divergence in bits (Lin, 1991), 0 to 1.
        low: lower end of the 95 % interval in which it would lie without any drift.
        high: upper end.
        moved: what makes the distance, the most first: category, how often it came before, how often now.
    """

    value: float
    low: float
    high: float
    moved: list[tuple[Hashable, float, float]]

    def is_beyond(self, limit: float) -> bool:
        """Whether it is more than was allowed, and more than chance explains."""
        return self.value > limit and self.value > self.high


def distance(before: Sequence[Counts], now: Sequence[Counts]) -> Distance | None:
    """Compares what is counted in texts.

    Without drift the texts of now are drawn from those of before; that is done 200 times.

    Args:
        before: of each text, how often it has each category.
        now: the same.

    Returns:
        None where nothing is counted on one of the sides, or too seldom to be drawn.
    """
    keys = list(dict.fromkeys(key for counts in (*before, *now) for key in counts))
    first, second = amounts(before, keys), amounts(now, keys)
    sums = [np.asarray(table.sum(axis=0)).ravel() for table in (first, second)]
    shares = [_shares(one) for one in sums]
    if not all(share.any() for share in shares):
        return None
    drawn = _drawn(first, len(now), shares[0])
    if not drawn:
        return None
    low, high = np.quantile(drawn, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    parts = _parts(*shares)
    moved = [(keys[place], float(sums[0][place]), float(sums[1][place])) for place in np.argsort(-parts)]
    return Distance(_between(*shares), float(low), float(high), moved)


def _drawn(table: sparse.csr_array, size: int, shares: np.ndarray) -> list[float]:
    generator, texts = np.random.default_rng(_SEED), table.shape[0]
    weights = (np.bincount(generator.integers(texts, size=size), minlength=texts) for _ in range(_DRAWS))
    sums = ((weight.astype(float) @ table) for weight in weights)
    return [_between(shares, _shares(one)) for one in sums if one.any()]


def _shares(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum() if counts.any() else counts


def _between(first: np.ndarray, second: np.ndarray) -> float:
    # Rounding may leave a divergence a little below 0.
    value = float(jensenshannon(first, second, base=2))
    return value if np.isfinite(value) else 0.0


def _parts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """What each category adds to the divergence, in bits."""
    middle = (first + second) / 2
    both = [
        np.where(one > 0, one * np.log2(np.maximum(one, 1e-300) / np.maximum(middle, 1e-300)), 0)
        for one in (first, second)
    ]
    return (both[0] + both[1]) / 2


def counted(values: Sequence[Hashable]) -> Counts:
    """How often each value comes."""
    return Counter(values)
