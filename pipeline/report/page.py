"""Draws a report as one HTML page that needs no network."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.review.page import page_environment
from pipeline.report.charts import DRAW, data_of
from pipeline.report.form import Example, ExampleList, Report
from pipeline.report.words import name_of, number

_TEMPLATES = Path(__file__).parent / "templates"
# A text of 10,000 characters is in `report.json` whole.
_MOST_CHARACTERS = 600


def render_page(report: Report) -> str:
    """HTML with everything inside; what data say is text in it, whatever it looks like."""
    environment = page_environment(_TEMPLATES)
    environment.filters.update(number=number, words=name_of, shown=_shown)
    environment.globals.update(draw=DRAW, data_of=data_of, columns_of=_columns, shade=_shade)
    script, style = (_TEMPLATES / "report.js").read_text("utf-8"), (_TEMPLATES / "report.css").read_text("utf-8")
    return environment.get_template("report.html.j2").render(
        report=report,
        style=style,
        script=script,
        # The page runs this script, and none that data may hold.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _shown(text: str | Sequence[str]) -> str:
    """A text as the page shows it: cut, and control characters made visible."""
    whole = text if isinstance(text, str) else " ".join(text)
    cut = whole if len(whole) <= _MOST_CHARACTERS else f"{whole[:_MOST_CHARACTERS]}… ({len(whole)} characters)"
    return "".join(one if one.isprintable() or one in "\n\t" else _visible(one) for one in cut)


def _visible(character: str) -> str:
    """Emoji are joined by marks that do no harm; others, such as NUL and those that turn the line round, are named."""
    return character if character in "\u200d\u200c" else f"⟨U+{ord(character):04X}⟩"


def _columns(report: Report, block: ExampleList) -> Mapping[str, list[str]]:
    """Which features, and whether right answers and those of before, are worth a column."""
    numbers = {number for group in block.groups.values() for number in group}
    shown: list[Example] = [report.examples[number] for number in sorted(numbers)]
    whole = {
        (example.number, name)
        for example in shown
        for name, value in example.features.items()
        if value == example.right
    }
    features = list(dict.fromkeys(name for example in shown for name in example.features))
    right = [name for name in features if shown and all((example.number, name) in whole for example in shown)]
    tells = any(example.answer != example.right for example in shown) or bool(right)
    # A feature that is the right answer itself has that column; where all are, the answer is a figure of the input.
    inputs = [name for name in features if name not in right] or features[:1]
    return {
        "inputs": inputs,
        "right": ["right"] if tells and set(inputs) != set(right) and right else [],
        "previous": ["previous"] if any(example.previous for example in shown) else [],
    }


def _shade(count: int, row: Sequence[int]) -> str:
    """How much of its row a cell is, as a share for the style."""
    return f"{count / sum(row):.2f}" if sum(row) else "0"
