"""What a review found: the form of `review.json`, for the report and other programs."""

from pathlib import Path
from typing import Annotated, Literal

import pydantic

FILE = "review.json"


class _Record(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Sound(_Record):
    """Something to hear."""

    kind: Literal["sound"] = "sound"
    """Of medium."""
    text: str
    """In words, for those who do not see the page."""
    content: str
    """WAV file as data URI."""
    file: str
    """The same as a file, relative to the folder of the review; "" for none."""


class Picture(_Record):
    """Something to see."""

    kind: Literal["picture"] = "picture"
    """Of medium."""
    text: str
    """In words, for those who do not see the page."""
    content: str
    """PNG, JPEG or SVG image as data URI."""
    file: str = ""
    """The same as a file, relative to the folder of the review; "" for none."""


class Outline(_Record):
    """The course of a wave."""

    kind: Literal["outline"] = "outline"
    """Of medium."""
    text: str
    """In words, for those who do not see the page."""
    low: list[float]
    """Least value of each stretch of time, -1 to 1."""
    high: list[float]
    """Greatest value of each stretch of time, -1 to 1."""


class Pieces(_Record):
    """A text in the pieces that a model sees, with the probability of each."""

    kind: Literal["pieces"] = "pieces"
    """Of medium."""
    text: str
    """In words, for those who do not see the page."""
    pieces: list[str]
    """As they stand in the text."""
    probabilities: list[float]
    """Of each piece after those before it, 0 to 1."""

    @property
    def pairs(self) -> list[tuple[str, float]]:
        """Each piece with its probability."""
        return list(zip(self.pieces, self.probabilities, strict=True))


class MarkedText(_Record):
    """A text in tokens, with a tag for each."""

    kind: Literal["marked_text"] = "marked_text"
    """Of medium."""
    text: str
    """What the tags are, in words."""
    tokens: list[str]
    """The text."""
    tags: list[str]
    """The tag of each token."""
    wrong: list[bool]
    """Whether the tag of each token differs from the right one."""


Medium = Annotated[Sound | Picture | Outline | Pieces | MarkedText, pydantic.Field(discriminator="kind")]


class Sample(_Record):
    """What the model made of a question, or a held-out example to compare it with."""

    title: str
    """What it is called on the page."""
    group: str
    """Row of the page in which it stands."""
    held_out: bool
    """Whether it is a held-out example."""
    asked: dict[str, str]
    """What was asked for, or what is known of the example, by feature; "" where that is open."""
    expected: str
    """The answer that is right; "" where nothing decides that."""
    answer: str | None
    """The answer, or what the judge takes it for; null without a judge."""
    certainty: float | None
    """How sure the judge is, 0 to 1; null without one."""
    facts: dict[str, int | float]
    """What else is known, by name, such as the seed."""
    media: list[Medium]
    """What is seen and heard of it, in this order."""

    @property
    def verdict(self) -> bool | None:
        """Whether the answer is right; None where nobody judged or nothing decides that."""
        return None if self.answer is None or not self.expected else self.answer == self.expected


class Share(_Record):
    """How many samples were right."""

    right: int
    """Those that were."""
    judged: int
    """All of them that were judged."""

    @property
    def share(self) -> float | None:
        """0 to 1; None where none was judged."""
        return self.right / self.judged if self.judged else None


class ReviewResult(_Record):
    """All of `review.json`."""

    version: Literal[1] = 1
    """Of this form."""
    review: str
    """Key of `components.review.catalogue.REVIEWS`."""
    model: str
    """Name of the model."""
    judge: str | None
    """Who judged: name and version of a model; null for nobody."""
    metrics: dict[str, float]
    """What was measured, by name."""
    shortfalls: list[str]
    """The bounds that the model did not keep, as sentences; empty when it passed."""
    notes: list[str]
    """What could not be done, one sentence each."""
    facts: dict[str, int | float]
    """What holds for all samples, by name."""
    shares: dict[str, dict[str, Share]]
    """By group, in the order of the page, and by what was judged; also of what is not shown. Where nothing is judged
    each group has none."""
    samples: list[Sample]
    """Those that are shown, group by group, the held-out example first."""


def load_review(uri: str) -> ReviewResult:
    """Reads a review from its folder."""
    return ReviewResult.model_validate_json((Path(uri) / FILE).read_text(encoding="utf-8"))
