"""Counters, gauges and histograms with labels, and Prometheus's text form of them.

The client library of Prometheus writes HELP lines, other bucket limits and creation times, which TensorFlow Serving
does not; dashboards made for that server rely on its text.
"""

import bisect
import re
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

Labels = tuple[str, ...]


class Metric(Protocol):
    """What a page of metrics is made of."""

    def render(self) -> list[str]:
        """Lines of the page."""


class Counter:
    """A number per combination of labels that only grows.

    Args:
        name: As TensorFlow writes it, with slashes.
        labels: Names of the labels.
    """

    kind = "counter"

    def __init__(self, name: str, labels: Sequence[str] = ()) -> None:
        self.name = exported_name(name)
        self._labels = [re.sub(r"[^A-Za-z0-9_]", "_", label) for label in labels]
        self._values: dict[Labels, float] = {}
        self._lock = threading.Lock()

    def add(self, *labels: str, amount: float = 1) -> None:
        """Adds to the series of these label values."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0) + amount

    def first(self) -> float:
        """Value of the series that came first; 0 where there is none."""
        with self._lock:
            return next(iter(self._values.values()), 0)

    def render(self) -> list[str]:
        """Lines of the page."""
        with self._lock:
            values = dict(self._values)
        rows = [f"{self.name}{_label_text(self._labels, labels)} {value:.15g}" for labels, value in values.items()]
        return [f"# TYPE {self.name} {self.kind}", *rows]


class Gauge:
    """A number that is read when the page is made.

    Args:
        name: As TensorFlow writes it, with slashes.
        labels: Names of the labels.
        read: Gives label values and value of each series.
    """

    def __init__(self, name: str, labels: Sequence[str], read: Callable[[], dict[Labels, float]]) -> None:
        self.name = exported_name(name)
        self._labels = list(labels)
        self._read = read

    def render(self) -> list[str]:
        """Lines of the page."""
        rows = [f"{self.name}{_label_text(self._labels, key)} {value:.15g}" for key, value in self._read().items()]
        return [f"# TYPE {self.name} gauge", *rows]


class Histogram:
    """Counts of values per combination of labels, by upper limits.

    Args:
        name: As TensorFlow writes it, with slashes.
        labels: Names of the labels.
        limits: Upper limits, ascending; a last one of infinity is added.
    """

    def __init__(self, name: str, labels: Sequence[str], limits: Sequence[float]) -> None:
        self.name = exported_name(name)
        self._labels = [re.sub(r"[^A-Za-z0-9_]", "_", label) for label in labels]
        self._limits = list(limits)
        # Of each series: counts per limit, and the sum last.
        self._series: dict[Labels, list[float]] = {}
        self._lock = threading.Lock()

    def observe(self, value: float, *labels: str) -> None:
        """Counts a value in the series of these label values."""
        place = bisect.bisect_right(self._limits, value)
        with self._lock:
            series = self._series.get(labels)
            if series is None:
                series = self._series[labels] = [0.0] * (len(self._limits) + 2)
            series[place] += 1
            series[-1] += value

    def render(self) -> list[str]:
        """Lines of the page."""
        with self._lock:
            copies = {labels: list(series) for labels, series in self._series.items()}
        lines = [f"# TYPE {self.name} histogram"]
        for labels, (*counts, total) in copies.items():
            reached = 0.0
            for limit, count in zip([*(f"{limit:g}" for limit in self._limits), "+Inf"], counts, strict=True):
                reached += count
                text = _label_text([*self._labels, "le"], (*labels, limit))
                lines.append(f"{self.name}_bucket{text} {reached:.0f}")
            text = _label_text(self._labels, labels)
            lines += [f"{self.name}_sum{text} {total:.15g}", f"{self.name}_count{text} {reached:.0f}"]
        return lines


def exported_name(name: str) -> str:
    """The name as Prometheus sees it: every other character than letters, digits and _ becomes a colon."""
    return re.sub(r"[^A-Za-z0-9_]", ":", name)


def _label_text(names: Sequence[str], values: Sequence[str]) -> str:
    pairs = [f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True)]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
