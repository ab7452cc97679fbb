"""What a model answers to one input, by task."""

import math
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
class Completion:
    """Answer of a language_modeling model to one prompt.

    Attributes:
        text: What follows the prompt.
        score: Log probability per token drawn.
        reason: Why it ends: end (the model ended it), stop (at a stop string) or length.
    """

    text: str
    score: float
    reason: str


@dataclass(frozen=True)
class CompletionPiece:
    """What has come of an answer since the piece before.

    Attributes:
        text: What it adds to the text; whole characters, and never a part of a stop string.
        reason: In the last piece, why the text ends: end, stop or length; empty before.
        score: Log probability per token drawn so far.
        num_tokens: Tokens drawn so far.
    """

    text: str
    reason: str
    score: float
    num_tokens: int


@dataclass(frozen=True)
class TextScore:
    """How probable a language_modeling model finds one text.

    Attributes:
        log_prob: Natural logarithm of its probability.
        num_units: Tokens that were predicted; for a model that learned texts one by one the end is among them.
        pieces: Those tokens, as people read them.
        token_log_probs: The natural logarithm of each one's probability.
    """

    log_prob: float
    num_units: int
    pieces: list[str]
    token_log_probs: list[float]

    @property
    def perplexity(self) -> float:
        """Exponential of the mean negative log probability of a unit; 1 for nothing to predict."""
        return math.exp(-self.log_prob / max(self.num_units, 1))


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


@dataclass(frozen=True)
class FilledText:
    """Answer of a masked_language_modeling model to one text with holes.

    Attributes:
        text: The text with the best candidate in each hole.
        candidates: For each hole, candidate to probability, the best first; "" is a piece that is a blank alone. Where
            several pieces have one text, such as one that begins a word and one within, the probability is that of the
            best of them.
    """

    text: str
    candidates: list[dict[str, float]]


@dataclass(frozen=True)
class WordVectors:
    """The words of one text, as a word_embedding model cuts it, and their vectors.

    Attributes:
        words: T words.
        known: For each of them, whether the model knows it.
        vectors: float32 (T, E); zeros for a word that is unknown.
    """

    words: list[str]
    known: list[bool]
    vectors: np.ndarray


@dataclass(frozen=True)
class SimilarWords:
    """Words that a word_embedding model finds for one request.

    Attributes:
        scores: Word to score, the best first: cosine similarity, or what the method of an analogy gives.
        unknown: What was asked for and is unknown, separated by spaces; "" for nothing.
    """

    scores: dict[str, float]
    unknown: str


@dataclass(frozen=True)
class Similarity:
    """How alike a word_embedding model finds two words.

    Attributes:
        score: Cosine similarity, -1 to 1; 0 where one of them is unknown.
        unknown: Which of them is unknown, separated by a space; "" for none.
    """

    score: float
    unknown: str
