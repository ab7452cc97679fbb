"""How tags mark spans: schemes are told apart, checked, and converted to the one that is used from here on, BIO.

Ramshaw and Marcus (1995) for IOB1, Tjong Kim Sang and Veenstra (1999) for its variants. A tag is O, or a prefix, a
hyphen and a type: B begins a span, I goes on with it, E ends it, S is a span of one token. BILOU writes L and U for E
and S.

- `iob1`: B only where a span begins right behind another one of the same type; else I begins it too.
- `bio` (IOB2): B begins every span.
- `bioes`: B, I, E or S, whatever they stand beside.
- `none`: tags that mark no spans, such as parts of speech; whatever they are, they stay as they are.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

SCHEMES = ("iob1", "bio", "bioes", "none")
# In the order in which they are preferred.
_OF_SPANS = ("bio", "bioes", "iob1")
_OUTSIDE = "O"
_ALIKE = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}


class Tag(NamedTuple):
    """A tag in its parts.

    Attributes:
        prefix: B, I, E, S or O.
        type: of the span; "" for O.
    """

    prefix: str
    type: str


class Illegal(Exception):
    """A tag that the scheme does not allow; `place` counts from 0."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place


def parsed(tag: str) -> Tag | None:
    """The parts of a tag; None for one that is of no scheme."""
    if tag == _OUTSIDE:
        return Tag(_OUTSIDE, "")
    prefix, hyphen, kind = tag.partition("-")
    return Tag(_ALIKE[prefix], kind) if hyphen and kind and prefix in _ALIKE else None


def scheme_of(sequences: Iterable[Sequence[str]]) -> str:
    """The scheme that sequences of tags are written in.

    `none` where most of them hold a tag of no scheme: a few such are mistakes, most are no spans. Else the scheme under
    which the fewest are illegal, so that mistakes do not decide either; bio where nothing does.
    """
    distinct = Counter(map(tuple, sequences))
    foreign = sum(count for tags, count in distinct.items() if None in map(parsed, tags))
    spans = any(part is not None and part.type for tags in distinct for part in map(parsed, tags))
    if foreign * 2 > distinct.total() or (foreign and not spans):
        return "none"
    illegal = {
        scheme: sum(count for tags, count in distinct.items() if not _is_legal(tags, scheme)) for scheme in _OF_SPANS
    }
    return min(_OF_SPANS, key=illegal.__getitem__)


def _is_legal(tags: Sequence[str], scheme: str) -> bool:
    try:
        to_bio(tags, scheme)
    except Illegal:
        return False
    return True


def to_bio(tags: Sequence[str], scheme: str) -> list[str]:
    """Writes tags of a scheme in BIO.

    Raises:
        Illegal: on the first tag that the scheme has not, or not there.
    """
    if scheme == "none":
        return list(tags)
    parts = [_of_scheme(place, tag, scheme) for place, tag in enumerate(tags)]
    written = []
    before = Tag(_OUTSIDE, "")
    for place, now in enumerate(parts):
        if not _follows(before, now, scheme):
            behind = f'"{tags[place - 1]}"' if place else "the beginning"
            raise Illegal(place, f'tag "{tags[place]}" cannot follow {behind} in scheme {scheme}')
        written.append(_in_bio(before, now, scheme))
        before = now
    if scheme == "bioes" and before.prefix in "BI":
        raise Illegal(len(tags) - 1, f'tag "{tags[-1]}" cannot stand at the end in scheme {scheme}')
    return written


def _of_scheme(place: int, tag: str, scheme: str) -> Tag:
    part = parsed(tag)
    if part is None or (scheme != "bioes" and part.prefix not in "OBI"):
        raise Illegal(place, f'"{tag}" is no tag of scheme {scheme}')
    return part


def _follows(before: Tag, now: Tag, scheme: str) -> bool:
    """Whether a tag may stand behind another one."""
    same = now.type == before.type
    if scheme == "iob1":
        return now.prefix != "B" or same
    inside = before.prefix in "BI"
    if scheme == "bio":
        return now.prefix != "I" or (inside and same)
    if now.prefix in "IE":
        return inside and same
    return not inside


def _in_bio(before: Tag, now: Tag, scheme: str) -> str:
    if now.prefix == _OUTSIDE:
        return _OUTSIDE
    begins = now.prefix in "BS" or (scheme == "iob1" and now.type != before.type)
    return f"{'B' if begins else 'I'}-{now.type}"
