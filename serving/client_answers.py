"""What a model answers to one input, by task."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class ModelVersion:
    """State of one version on the server.

    Attributes:
        version: Version number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: Why its load failed; empty where it did not.
    """

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class TextClass:
    """Answer of a text_classification model to one text.

    Attributes:
        label: The most probable class.
        scores: Class to probability.
    """

    label: str
    scores: dict[str, float]


@dataclass(frozen=True)
class TransformedText:
    """Answer of a text_to_text model to one source.

    Attributes:
        target: The text produced.
        score: Log probability per token.
    """

    target: str
    score: float


@dataclass(frozen=True)
class Attention:
    """Where a text_to_text model looks in one source while it writes one target.

    Attributes:
        source_pieces: S units of the source.
        target_pieces: T units of the target; the last is its end.
        weights: float (T, S), each row adds up to 1; zero for a model without attention.
    """

    source_pieces: list[str]
    target_pieces: list[str]
    weights: np.ndarray


@dataclass(frozen=True)
class Token:
    """A token of a text, with its tag.

    Attributes:
        text: The token.
        tag: What it is; O for nothing.
        score: Probability of the tag, given the whole text.
        start: Character of the text at which it begins, so that `text[start:end]` is the token.
        end: Character behind it.
    """

    text: str
    tag: str
    score: float
    start: int
    end: int


@dataclass(frozen=True)
class Span:
    """Tokens that together are one thing, such as a name.

    Attributes:
        label: What it is.
        text: The part of the text, blanks inside and all.
        score: Of its least probable tag.
        start: Character of the text at which it begins.
        end: Character behind it.
    """

    label: str
    text: str
    score: float
    start: int
    end: int


@dataclass(frozen=True)
class TaggedText:
    """Answer of a sequence_labeling model to one text.

    Attributes:
        text: The text; of tokens that were cut already, these with a blank between.
        tokens: Of the text, each with its tag.
        spans: What the tags mark.
    """

    text: str
    tokens: list[Token]
    spans: list[Span]


@dataclass(frozen=True)
class Audio:
    """Answer of an audio_generation model.

    Attributes:
        samples: float32 (N,) in [-1, 1].
        sample_rate: Samples per second.
        conditions: What it was steered by, such as {"label": "seven"}; what was left open is what the model chose.
    """

    samples: np.ndarray
    sample_rate: int
    conditions: Mapping[str, str] = field(default_factory=dict)
