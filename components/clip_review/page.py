"""Draws a review as one HTML page that needs no network."""

from collections.abc import Sequence
from pathlib import Path

import jinja2

from components.clip_review.result import Clip, ClipReviewResult

_TEMPLATE = Path(__file__).parent / "templates" / "page.html.j2"


def render_page(result: ClipReviewResult) -> str:
    """HTML with every clip's outline, spectrogram and sound inside."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=_percent, path=_path)
    groups = [
        {"label": label, "shares": shares, "clips": _clips_of(label, result.clips)}
        for label, shares in result.by_label.items()
    ]
    return environment.get_template(_TEMPLATE.name).render(result=result, groups=groups)


def _clips_of(label: str, clips: Sequence[Clip]) -> list[Clip]:
    # Without labels there is one group, whose recordings may have labels none the less.
    return [clip for clip in clips if label in ("", clip.label)]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _path(clip: Clip) -> str:
    """The outline as a closed SVG path, one column for each stretch of time, upwards positive."""
    points = [*enumerate(clip.waveform_high), *reversed([*enumerate(clip.waveform_low)])]
    return f"M{' L'.join(f'{column} {0 - value:g}' for column, value in points)} Z"
