"""Draws a review as one HTML page that needs no network."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import jinja2

from components.review.result import MarkedText, Outline, ReviewResult

_TEMPLATES = Path(__file__).parent / "templates"


def page_environment(templates: Path) -> jinja2.Environment:
    """Templates of pages, in which what data say is text, whatever it looks like."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render_page(result: ReviewResult) -> str:
    """HTML with all that is seen and heard of every sample inside; a template of the review's name has the words."""
    environment = page_environment(_TEMPLATES)
    environment.filters.update(percent=_percent, path=_path, marked=_marked, hue=_hue)
    return environment.get_template("page.html.j2").render(result=result)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _path(outline: Outline) -> str:
    """The outline as a closed SVG path, one column for each stretch of time, upwards positive."""
    points = [*enumerate(outline.high), *reversed([*enumerate(outline.low)])]
    return f"M{' L'.join(f'{column} {0 - value:g}' for column, value in points)} Z"


def _marked(text: MarkedText) -> Iterator[tuple[str, str, bool]]:
    return zip(text.tokens, text.tags, text.wrong, strict=True)


def _hue(tag: str) -> int:
    """A colour of the type of a tag, as an angle; the same on every page."""
    return zlib.crc32(tag.partition("-")[2].encode() or tag.encode()) * 47 % 360
