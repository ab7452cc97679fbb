"""The distance of two distributions, and what chance makes of it."""

import math

import numpy as np
import pytest

from pipeline.drift.distance import counted, distance
from pipeline.drift.measures import length_range, lengths, scripts, tokens, unknown


def test_the_distance_is_that_of_the_equation() -> None:
    before, now = [counted("aab"), counted("b")], [counted("abbb")]
    p, q = np.array([2, 2]) / 4, np.array([1, 3]) / 4
    m = (p + q) / 2
    divergence = sum(0.5 * x * math.log2(x / y) for one in (p, q) for x, y in zip(one, m, strict=True))
    found = distance(before, now)
    assert found is not None
    assert found.value == pytest.approx(math.sqrt(divergence))
    assert sorted(found.moved) == [("a", 2.0, 1.0), ("b", 2.0, 3.0)]


def test_ends_of_the_scale() -> None:
    same = distance([counted("ab")] * 5, [counted("ab")] * 3)
    other = distance([counted("ab")] * 5, [counted("c")] * 3)
    assert same is not None and (same.value, same.high) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert other is not None and other.value == pytest.approx(1.0)
    assert distance([counted("ab")], [counted("")]) is None
    rare = [counted("")] * 5000 + [counted("a")]
    assert distance(rare, [counted("a")]) is None, "too seldom to be drawn"


@pytest.mark.parametrize("size", [30, 300])
def test_without_drift_the_distance_lies_in_its_interval_and_with_drift_beyond(size: int) -> None:
    rng = np.random.default_rng(size)

    def drawn(texts: int, chances: list[float]) -> list:
        return [counted(rng.choice(5, 8, p=chances).tolist()) for _ in range(texts)]

    even, uneven = [0.2] * 5, [0.5, 0.2, 0.1, 0.1, 0.1]
    trained = drawn(2000, even)
    inside = [found for _ in range(20) if (found := distance(trained, drawn(size, even)))]
    assert sum(one.low <= one.value <= one.high for one in inside) >= 16
    assert not any(one.is_beyond(0.0) and one.value > 1.3 * one.high for one in inside)
    drifted = distance(trained, drawn(size, uneven))
    assert drifted is not None and drifted.is_beyond(0.2) and not drifted.is_beyond(0.9)
    assert drifted.moved[0][0] == 0


def test_what_is_counted_in_a_text() -> None:
    assert [length_range(length) for length in (0, 1, 2, 3, 4, 5, 8, 9, 16, 17)] == (
        ["0", "1", "2", "3-4", "3-4", "5-8", "5-8", "9-16", "9-16", "17-32"]
    )
    assert lengths("a b  c") == {"3-4": 1}
    assert scripts("aÉ, 1 жЖж 한 漢") == {"LATIN": 2, "CYRILLIC": 3, "HANGUL": 1, "CJK": 1}
    assert tokens(np.array([3, 3, 5])) == {3: 2, 5: 1}
    assert unknown(np.array([1, 3, 5])) == {"unknown": 1, "known": 2}
