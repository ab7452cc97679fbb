"""Line charts as SVG, for the docs: text that a browser draws, without a library."""

import dataclasses
import html
import math
from collections.abc import Sequence

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 40, 50
# Told apart by people who see few colours (Okabe and Ito, 2008), and by dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("", "6 3", "2 2", "8 3 2 3")


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of a chart.

    Attributes:
        name: for the legend.
        xs: where.
        ys: how high; what is not finite, or not above 0 on a logarithmic axis, is a gap.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclasses.dataclass(frozen=True)
class Axis:
    """Maps numbers to pixels.

    Attributes:
        least: at the beginning.
        most: at the end.
        begin: pixel of the least.
        end: pixel of the most.
        logarithmic: whether powers of ten are evenly spaced.
    """

    least: float
    most: float
    begin: float
    end: float
    logarithmic: bool = False

    def pixel(self, value: float) -> float:
        """Where a value stands; beyond the ends it stands at the end."""
        value, least, most = (math.log10(one) if self.logarithmic else one for one in (value, self.least, self.most))
        share = (value - least) / (most - least)
        return self.begin + min(max(share, 0.0), 1.0) * (self.end - self.begin)

    def ticks(self) -> list[float]:
        """Values with a label, about six."""
        if self.logarithmic:
            low, high = round(math.log10(self.least)), round(math.log10(self.most))
            step = max(1, math.ceil((high - low) / 6))
            return [10.0**power for power in range(low, high + 1, step)]
        step = 10 ** math.floor(math.log10((self.most - self.least) / 2))
        step *= next(factor for factor in (0.5, 1, 2, 5) if (self.most - self.least) / (step * factor) <= 7)
        count = math.floor((self.most - self.least) / step + 1e-9)
        return [self.least + index * step for index in range(count + 1)]


def line_chart(
    title: str, labels: tuple[str, str], lines: Sequence[Line], bounds: tuple[float, float], **axes: bool
) -> str:
    """Draws a chart.

    Args:
        title: above it.
        labels: of the axes, x and y.
        lines: that are drawn, seven at most.
        bounds: least and greatest y.
        axes: `log_y`, whether y is logarithmic.
    """
    xs = [x for line in lines for x in line.xs]
    across = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    up = Axis(*bounds, HEIGHT - BOTTOM, TOP, axes.get("log_y", False))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{html.escape(title)}</title>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 24, title, 'font-size="15"'),
        *(_x_tick(across, value) for value in across.ticks()),
        *(_y_tick(up, value) for value in up.ticks()),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, labels[0], 'text-anchor="middle"'),
        _text(18, HEIGHT / 2, labels[1], f'text-anchor="middle" transform="rotate(-90 18 {HEIGHT / 2})"'),
    ]
    for number, line in enumerate(lines):
        look = f'stroke="{COLOURS[number]}" stroke-width="1.8" stroke-dasharray="{DASHES[number % len(DASHES)]}"'
        parts += [f'<path d="{_path(line, across, up)}" fill="none" {look}/>', _legend(number, line.name, look)]
    return "\n".join([*parts, "</svg>\n"])


def _path(line: Line, across: Axis, up: Axis) -> str:
    commands, pen = [], "M"
    for x, y in zip(line.xs, line.ys, strict=True):
        if not math.isfinite(y) or (up.logarithmic and y <= 0):
            pen = "M"
            continue
        commands.append(f"{pen}{across.pixel(x):.1f} {up.pixel(y):.1f}")
        pen = "L"
    return "".join(commands)


def _legend(number: int, name: str, look: str) -> str:
    left, height = WIDTH - RIGHT + 14, TOP + 10 + 20 * number
    return f'<path d="M{left} {height}h24" {look}/>' + _text(left + 30, height + 4, name)


def _x_tick(axis: Axis, value: float) -> str:
    at = axis.pixel(value)
    line = f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e0e0e0"/>'
    return line + _text(at, HEIGHT - BOTTOM + 16, f"{value:g}", 'text-anchor="middle"')


def _y_tick(axis: Axis, value: float) -> str:
    at = axis.pixel(value)
    line = f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e0e0e0"/>'
    return line + _text(LEFT - 6, at + 4, f"{value:g}", 'text-anchor="end"')


def _text(x: float, y: float, text: str, look: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {look}>{html.escape(text)}</text>'
