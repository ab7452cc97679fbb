"""What a report is made of: the form of `report.json`, from which the page and the model card are drawn."""

from typing import Annotated, Any, Literal

import pydantic

from pipeline.report.words import finite


class _Record(pydantic.BaseModel):
    # JSON has no NaN; a value that is none is null.
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Paragraph(_Record):
    """Plain words."""

    kind: Literal["paragraph"] = "paragraph"
    """Of block."""
    text: str
    """One sentence or some."""
    tone: Literal["plain", "good", "bad", "warn", "soft"] = "plain"
    """Whether it is good news."""


Cell = str | int | float | None


class Table(_Record):
    """Rows of figures or words."""

    kind: Literal["table"] = "table"
    """Of block."""
    title: str
    """What it shows."""
    columns: list[str]
    """Headings."""
    rows: list[list[Cell]]
    """A cell for each column."""
    note: str = ""
    """What a reader must know of it."""
    folded: bool = False
    """Whether the page shows it only to those who unfold it."""
    links: list[str] = []
    """Where the first cell of each row leads, relative to the page; "" for nowhere, no list for none at all."""


def _finite(value: float | None) -> float | None:
    return None if value is None else finite(value)


class Line(_Record):
    """A row of points."""

    name: str
    """What they are."""
    x: list[float]
    """Of each point, rising."""
    y: list[Annotated[float | None, pydantic.BeforeValidator(_finite)]]
    """Of each point; null where there is none, or no number."""


class Curves(_Record):
    """Lines over one axis."""

    kind: Literal["curves"] = "curves"
    """Of block."""
    title: str
    """What they show."""
    x_label: str
    """What is counted along."""
    lines: list[Line]
    """One or more."""
    mark: float | None = None
    """A place that is pointed at."""
    mark_label: str = ""
    """What stands there."""


class Bars(_Record):
    """How many there are of each."""

    kind: Literal["bars"] = "bars"
    """Of block."""
    title: str
    """What is counted."""
    groups: list[str]
    """What is counted of, such as splits."""
    names: list[str]
    """What is told apart."""
    counts: list[list[float]]
    """Of each name, for each group."""
    unit: str = ""
    """Of the counts."""


class Span(_Record):
    """A value and where it may lie."""

    name: str
    """Of what."""
    value: float | None
    """Null where it is undefined."""
    low: float | None
    """Lower end of its interval."""
    high: float | None
    """Upper end of its interval."""
    examples: int | None = None
    """Behind the value."""
    note: str = ""
    """What a reader must know of it, such as that it is of few examples."""


class Spans(_Record):
    """Values with their intervals, one below the other."""

    kind: Literal["spans"] = "spans"
    """Of block."""
    title: str
    """What they are."""
    spans: list[Span]
    """In the order of the page."""
    reference: float | None = None
    """A value to compare with."""
    reference_label: str = ""
    """What that is."""
    note: str = ""
    """What a reader must know of them."""


class Matrix(_Record):
    """How often each of the rows met each of the columns."""

    kind: Literal["matrix"] = "matrix"
    """Of block."""
    title: str
    """What it shows."""
    rows: list[str]
    """What was right."""
    columns: list[str]
    """What was answered."""
    counts: list[list[int]]
    """Row by row."""
    note: str = ""
    """What a reader must know of it."""


class Pieces(_Record):
    """A text cut into pieces."""

    kind: Literal["pieces"] = "pieces"
    """Of block."""
    title: str
    """Whose text."""
    pieces: list[str]
    """In order."""


class ExampleList(_Record):
    """Examples of the evaluation, by their numbers in the report."""

    kind: Literal["examples"] = "examples"
    """Of block."""
    title: str
    """Which they are."""
    metric: str
    """By whose value over one example they are ranked; "" where no metric ranks them."""
    groups: dict[str, list[int]]
    """Such as the worst, the best and some drawn at random."""
    previous_label: str = "last blessed model"
    """Whose answers stand beside those of the model."""


class Page(_Record):
    """A page of its own, whole inside this one."""

    kind: Literal["page"] = "page"
    """Of block."""
    title: str
    """What it shows."""
    html: str
    """All of it."""


Block = Annotated[
    Paragraph | Table | Curves | Bars | Spans | Matrix | Pieces | ExampleList | Page,
    pydantic.Field(discriminator="kind"),
]


class Section(_Record):
    """A part of the report."""

    name: str
    """Key of `pipeline.report.catalogue.SECTIONS`."""
    title: str
    """Heading."""
    blocks: list[Block]
    """In the order of the page."""


class Example(_Record):
    """One example of the evaluation."""

    number: int
    """From 0; the same examples have the same numbers in all runs of the same data."""
    features: dict[str, str | list[str]]
    """What it holds; sound is left out."""
    digest: str = ""
    """Of the whole example, sound included; "" where an older evaluation has none."""
    right: str
    """The right answer; "" where the task has none but the example itself."""
    answer: str
    """What the model answered."""
    outputs: dict[str, Any]
    """All that the model gave but what is the same for all examples."""
    previous: str
    """What the last blessed model answered; "" where there was none to compare with."""
    value: float | None
    """The ranking metric over this example alone."""
    slices: list[str]
    """Slices that it belongs to."""


class Report(_Record):
    """All of `report.json`."""

    version: Literal[1] = 1
    """Of this form."""
    run_id: str
    """Of the run; of several, those that are compared, with blanks between them."""
    name: str
    """The model's."""
    title: str
    """Of the page."""
    task: str
    """What the sequence problem is."""
    started: str
    """ISO 8601, local time."""
    state: str
    """How the run ended."""
    failure: str = ""
    """Why it failed; "" where it did not."""
    metrics: dict[str, float | None]
    """What the judges measured, by name."""
    settings: dict[str, Any]
    """The configuration, as it was given."""
    sections: list[Section]
    """In the order of the page."""
    shared_outputs: dict[str, Any] = {}
    """What the model gave for every example alike."""
    examples: list[Example] = []
    """All of the evaluation."""
