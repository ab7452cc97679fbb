"""Rows of a sequence_labeling model as tokens and spans of a text."""

from collections.abc import Sequence

import numpy as np

from serving.client_answers import Span, TaggedText, Token
from serving.wire.rows import real_length, to_texts

_OUTSIDE = "O"


def tagged_text(
    text: str, tokens: np.ndarray, tags: np.ndarray, scores: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> TaggedText:
    """A row of answers to a text; of `starts` and `ends`, which count bytes of UTF-8, come characters."""
    length, encoded = real_length(tokens), text.encode()
    places = [_characters(encoded, start, end) for start, end in zip(starts[:length], ends[:length], strict=True)]
    return _tagged(text, to_texts(tokens[:length]), to_texts(tags[:length]), scores, places)


def tagged_tokens(tokens: np.ndarray, tags: np.ndarray, scores: np.ndarray) -> TaggedText:
    """A row of answers to tokens that were cut already."""
    length = real_length(tokens)
    texts = to_texts(tokens[:length])
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    places = [(int(end) - len(text), int(end)) for text, end in zip(texts, ends, strict=True)]
    return _tagged(" ".join(texts), texts, to_texts(tags[:length]), scores, places)


def _characters(encoded: bytes, start: int, end: int) -> tuple[int, int]:
    first = len(encoded[:start].decode(errors="replace"))
    return first, first + len(encoded[start:end].decode(errors="replace"))


def _tagged(
    text: str, tokens: list[str], tags: list[str], scores: np.ndarray, places: Sequence[tuple[int, int]]
) -> TaggedText:
    tagged = [
        Token(token, tag, float(score), *place)
        for token, tag, score, place in zip(tokens, tags, scores, places, strict=False)
    ]
    return TaggedText(text, tagged, spans_of(text, tagged))


def spans_of(text: str, tokens: Sequence[Token]) -> list[Span]:
    """What the tags mark: B-x begins a span, I-x goes on with it; a tag without such a prefix is one by itself."""
    spans: list[Span] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        prefix, hyphen, label = token.tag.partition("-")
        if token.tag == _OUTSIDE:
            continue
        label = label if hyphen and prefix in ("B", "I") else token.tag
        if prefix == "I" and spans and before and before.tag in (f"B-{label}", f"I-{label}"):
            last = spans.pop()
            score = min(last.score, token.score)
            spans.append(Span(label, text[last.start : token.end], score, last.start, token.end))
        else:
            spans.append(Span(label, token.text, token.score, token.start, token.end))
    return spans
