"""Charts as SVG, drawn here and not by a script: they print, need no download, and are read by screen readers.

A charting library would be the larger part of the page; what a report needs are lines, bars and intervals.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.report.form import Bars, Curves, Line, Spans
from pipeline.report.words import number

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 260, 64, 16, 12, 40
_ROW, _IN_A_ROW, _LEGEND_ROW = 26, 3, 16
# Lines are told apart by their dashes where colours are not seen.
_DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 5", "4 2 1 2")
_MOST_POINTS = 250


@dataclass(frozen=True)
class Scale:
    """From values to places on the page.

    Attributes:
        low: value at `start`.
        high: value at `end`.
        start: place in pixels.
        end: place in pixels.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values between the ends."""
        width = self.high - self.low
        if width <= 0:
            return [self.low]
        step = 10 ** math.floor(math.log10(width / wanted))
        step *= next(factor for factor in (1, 2, 5, 10) if width / (step * factor) <= wanted)
        first = math.ceil(self.low / step - 1e-9)
        return [round(place * step, 12) for place in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def label(self, tick: float) -> str:
        """A tick with as many digits as tell it from the next."""
        plain = number(tick)
        width = self.high - self.low
        far = width > 0 and abs(tick) > 200 * width
        return plain if not far or float(tick).is_integer() and width > 10 else f"{tick:.{_decimals(width)}f}"


def _decimals(width: float) -> int:
    return max(0, 1 - math.floor(math.log10(width)))


def curves_svg(chart: Curves) -> Markup:
    """Lines with a legend."""
    lines = [_thinned(line) for line in chart.lines]
    xs = [x for line in lines for x in line.x]
    ys = [y for line in lines for y in line.y if y is not None]
    if not ys:
        return Markup("")
    across = Scale(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    pad = (max(ys) - min(ys)) * 0.05 or abs(max(ys)) * 0.05 or 0.05
    low = 0.0 if 0 <= min(ys) < 0.3 * max(ys) else min(ys) - pad
    up = Scale(low, max(ys) + pad, _HEIGHT - _BOTTOM, _TOP)
    parts = [_grid(up, across, chart.x_label)]
    if chart.mark is not None and across.low <= chart.mark <= across.high:
        place = across(chart.mark)
        parts.append(
            Markup(
                '<line class="mark" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
                '<text class="tick{6}" x="{3}" y="{4}">{5}</text>'
            ).format(
                place,
                _TOP,
                _HEIGHT - _BOTTOM,
                # Before the line where there is no room behind it.
                place + (4 if place < _WIDTH / 2 else -4),
                _TOP + 10,
                chart.mark_label,
                "" if place < _WIDTH / 2 else " end",
            )
        )
    for index, line in enumerate(lines):
        parts.append(_path(line, across, up, index))
    parts += [_legend(index, line.name, _HEIGHT + 8) for index, line in enumerate(lines)]
    return _svg(_HEIGHT + _legend_height(len(lines)), _told(chart.title, chart.lines, chart.x_label), parts)


def bars_svg(chart: Bars) -> Markup:
    """A row for each name, in it a bar for each group; each group by its share, so that they can be compared."""
    groups = len(chart.groups)
    totals = [sum(row[group] for row in chart.counts) or 1.0 for group in range(groups)]
    shares = [[count / total for count, total in zip(row, totals, strict=True)] for row in chart.counts]
    left = _LEFT + 90
    across = Scale(0, max((max(row) for row in shares), default=1.0) or 1.0, left, _WIDTH - 110)
    thick = 13
    bottom = len(chart.names) * (thick * groups + 8) + 22
    height = bottom + _legend_height(groups) - 8
    parts = [_legend(group, name, bottom, bar=True) for group, name in enumerate(chart.groups)]
    for place, (name, row, counts) in enumerate(zip(chart.names, shares, chart.counts, strict=True)):
        top = place * (thick * groups + 8) + 4
        parts.append(_label(name, left - 6, top + thick * groups / 2 + 4))
        for group, (share, count) in enumerate(zip(row, counts, strict=True)):
            y = top + group * thick
            parts.append(
                Markup('<rect class="bar c{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                    group, left, y, max(0.5, across(share) - left), thick - 1
                )
            )
            parts.append(
                Markup('<text class="tick" x="{}" y="{}">{} ({:.1%})</text>').format(
                    across(share) + 5, y + thick - 1, number(count), share
                )
            )
    most = [
        f"{group}: most {chart.names[max(range(len(chart.names)), key=lambda place: chart.counts[place][index])]}"
        for index, group in enumerate(chart.groups)
    ]
    return _svg(height, f"{chart.title}. {'; '.join(most)}.", parts)


def spans_svg(chart: Spans) -> Markup:
    """A dot with its interval for each."""
    known = [value for span in chart.spans for value in (span.value, span.low, span.high) if value is not None]
    if not known:
        return Markup("")
    if chart.reference is not None:
        known.append(chart.reference)
    pad = (max(known) - min(known)) * 0.05 or 0.05
    left = 200
    across = Scale(min(known) - pad, max(known) + pad, left, _WIDTH - 100)
    height = len(chart.spans) * _ROW + 44
    parts = [_verticals(across, height - 40)]
    if chart.reference is not None:
        place = across(chart.reference)
        parts.append(
            Markup(
                '<line class="mark" x1="{0}" x2="{0}" y1="0" y2="{1}"/><text class="tick" x="{2}" y="{3}">{4}</text>'
            ).format(place, height - 40, place - 30, height - 8, chart.reference_label)
        )
    for index, span in enumerate(chart.spans):
        y = index * _ROW + _ROW / 2
        parts.append(_label(span.name, left - 8, y + 4))
        if span.value is None:
            continue
        if span.low is not None and span.high is not None:
            parts.append(
                Markup('<line class="whisker" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                    across(span.low), across(span.high), y, y
                )
            )
        shape = '<circle class="dot{}" cx="{}" cy="{}" r="5"/>'
        parts.append(Markup(shape).format(" few" if span.note else "", across(span.value), y))
        told = number(span.value) + (f" ({span.note})" if span.note else "")
        parts.append(Markup('<text class="tick" x="{}" y="{}">{}</text>').format(_WIDTH - 96, y + 4, told))
    values = "; ".join(f"{span.name} {number(span.value)}" for span in chart.spans[:12])
    return _svg(height, f"{chart.title}: {values}", parts)


def _svg(height: float, told: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, round(height), told)
    return head + Markup("").join(parts) + Markup("</svg>")


def _grid(up: Scale, across: Scale, x_label: str) -> Markup:
    parts = []
    for tick in up.ticks():
        y = up(tick)
        parts.append(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick end" x="{}" y="{}">{}</text>'
            ).format(_LEFT, _WIDTH - _RIGHT, y, y, _LEFT - 6, y + 4, up.label(tick))
        )
    for tick in across.ticks(8):
        parts.append(
            Markup('<text class="tick middle" x="{}" y="{}">{}</text>').format(
                across(tick), _HEIGHT - _BOTTOM + 16, across.label(tick)
            )
        )
    parts.append(Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(_WIDTH - _RIGHT, _HEIGHT - 6, x_label))
    return Markup("").join(parts)


def _verticals(across: Scale, height: float) -> Markup:
    line = '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/><text class="tick middle" x="{0}" y="{2}">{3}</text>'
    return Markup("").join(
        Markup(line).format(across(tick), height, height + 16, across.label(tick)) for tick in across.ticks()
    )


def _path(line: Line, across: Scale, up: Scale, index: int) -> Markup:
    points = [(across(x), up(y)) if y is not None else None for x, y in zip(line.x, line.y, strict=True)]
    steps, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        steps.append(f"{pen}{point[0]} {point[1]}")
        pen = "L"
    path = Markup('<path class="line c{}" stroke-dasharray="{}" d="{}"/>').format(
        index % len(_DASHES), _DASHES[index % len(_DASHES)], "".join(steps)
    )
    if len([point for point in points if point]) > 30:
        return path
    dots = (
        Markup('<circle class="point c{}" cx="{}" cy="{}" r="3"/>').format(index % len(_DASHES), *point)
        for point in points
        if point
    )
    return path + Markup("").join(dots)


def _legend(index: int, name: str, top: float, bar: bool = False) -> Markup:
    """Three in a row, from `top` on."""
    x, y = _LEFT + index % _IN_A_ROW * 190, top + index // _IN_A_ROW * _LEGEND_ROW
    sample = (
        Markup('<rect class="bar c{}" x="{}" y="{}" width="20" height="8"/>').format(index, x, y - 8)
        if bar
        else Markup('<path class="line c{}" stroke-dasharray="{}" d="M{} {}h24"/>').format(
            index % len(_DASHES), _DASHES[index % len(_DASHES)], x, y - 4
        )
    )
    return sample + Markup('<text class="tick" x="{}" y="{}">{}</text>').format(x + 30, y, _short(name, 24))


def _legend_height(count: int) -> int:
    return (count + _IN_A_ROW - 1) // _IN_A_ROW * _LEGEND_ROW


def _label(name: str, x: float, y: float) -> Markup:
    return Markup('<text class="tick end" x="{}" y="{}">{}</text>').format(x, y, _short(name, 26))


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _thinned(line: Line) -> Line:
    """At most some hundred points, evenly."""
    if len(line.x) <= _MOST_POINTS:
        return line
    places = [round(index * (len(line.x) - 1) / (_MOST_POINTS - 1)) for index in range(_MOST_POINTS)]
    return Line(name=line.name, x=[line.x[place] for place in places], y=[line.y[place] for place in places])


def _told(title: str, lines: Sequence[Line], x_label: str) -> str:
    """What a line does, in words."""
    sentences = []
    for line in lines:
        known = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None]
        if known:
            least, most = (pick(known, key=lambda point: point[1]) for pick in (min, max))
            sentences.append(
                f"{line.name}: from {number(known[0][1])} to {number(known[-1][1])}, least {number(least[1])} at "
                f"{x_label} {number(least[0])}, greatest {number(most[1])}"
            )
    return f"{title}. {'; '.join(sentences)}."


DRAW: dict[str, Callable[..., Markup]] = {"curves": curves_svg, "bars": bars_svg, "spans": spans_svg}


def data_of(chart: Curves | Bars | Spans) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a chart's figures, at most some fifty, for those who rather read them."""
    if isinstance(chart, Bars):
        return ["what", *chart.groups], [
            [name, *map(number, row)] for name, row in zip(chart.names, chart.counts, strict=True)
        ]
    if isinstance(chart, Spans):
        rows = [
            [span.name, *(number(one) for one in (span.value, span.low, span.high, span.examples)), span.note]
            for span in chart.spans
        ]
        return ["what", "value", "from", "to", "examples", "note"], rows
    xs = sorted({x for line in chart.lines for x in line.x})
    kept = xs if len(xs) <= 50 else [xs[round(index * (len(xs) - 1) / 49)] for index in range(50)]
    by_line = [dict(zip(line.x, line.y, strict=True)) for line in chart.lines]
    return [chart.x_label, *(line.name for line in chart.lines)], [
        [number(x), *(number(line.get(x)) for line in by_line)] for x in kept
    ]
