"""The sections of a report, in the order of the page."""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.report.form import Section

if TYPE_CHECKING:
    from pipeline.report.source import Source

# Each module has a function `section(source)`: what it has to say of a run, None for nothing.
SECTIONS = ("verdict", "metrics", "answers", "examples", "training", "data", "tokenizer", "provenance")


def make_section(name: str, source: "Source") -> Section | None:
    """Makes one section."""
    make: Callable[[Source], Section | None] = importlib.import_module(f"pipeline.report.sections.{name}").section
    return make(source)
