"""The model card in Markdown (Mitchell et al., 2019, section 4): what the configuration says, the rest from the run."""

import re
from collections.abc import Iterator

from pipeline.report.form import Block, Paragraph, Report, Spans, Table
from pipeline.report.source import Source
from pipeline.report.words import number

_NOT_SAID = "Nobody has said so yet: `card.{}` of the configuration is empty."
# Sections of the paper: key of the `card` section, heading, sections of the report that belong there.
_PARTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("owner", "Who answers for it", ()),
    ("intended_use", "Intended use", ()),
    ("out_of_scope", "Out of scope", ()),
    ("", "Verdict", ("verdict",)),
    ("", "Metrics, overall and by group", ("metrics",)),
    ("data", "Data", ("data",)),
    ("limits", "Limits", ()),
    ("licence", "Licence", ()),
    ("", "How it was made", ("provenance",)),
)


def render_card(report: Report, source: Source) -> str:
    """Markdown; whatever data say stands in it as text."""
    lines = [f"# Model card: {plain(report.name)}", ""]
    lines += [f"Version {source.run.pushed_version or 'not pushed'}, run {report.run_id}, {report.started}. "]
    lines += [f"Task {report.task}, architecture {source.config.model.architecture}.", ""]
    sections = {section.name: section for section in report.sections}
    for key, heading, names in _PARTS:
        lines += [f"## {heading}", ""]
        if key:
            lines += [getattr(source.config.card, key) or _NOT_SAID.format(key), ""]
        for name in names:
            if name in sections:
                lines += [line for block in sections[name].blocks for line in _block(block)]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield from (plain(block.text), "")
    elif isinstance(block, Table) and not block.folded and block.rows:
        yield from (f"{plain(block.title)}:", "")
        yield from _table(block.columns, [[plain(number(cell)) for cell in row] for row in block.rows])
        yield ""
    elif isinstance(block, Spans):
        yield from (f"{plain(block.title)}:", "")
        rows = [
            [plain(span.name), *(number(one) for one in (span.value, span.low, span.high, span.examples)), span.note]
            for span in block.spans
        ]
        yield from _table(["slice", "value", "from", "to", "examples", "note"], rows)
        yield ""


def _table(columns: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def plain(text: str) -> str:
    """A text of the data so that Markdown and HTML in it show as they are."""
    return re.sub(r"([\\`*_{}\[\]<>#|&!])", r"\\\1", " ".join(text.split()))
