"""The nearest valid name, for messages."""

import difflib
import itertools
import unicodedata
from collections.abc import Iterable

_LONGEST = 80
# Cyrillic and Greek letters with the shape of Latin ones.
_LIKE_LATIN = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухіјѕԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧονιρ", "ABESIJKMHOPCTYXaeopcyxijsdABEZHIKMNOPTYXovip"
)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Returns ' Did you mean "x"?' with the choice nearest to `name`, or nothing if none is near."""
    # What is very long is no misspelt name, and would take minutes to compare.
    short = [choice for choice in choices if len(choice) <= 2 * _LONGEST] if len(name) <= 2 * _LONGEST else []
    nearest = difflib.get_close_matches(name, short, n=1)
    return f' Did you mean "{shown(nearest[0])}"?' if nearest else ""


def quoted(names: Iterable[str], limit: int = 20) -> str:
    """Returns the names in quotes, at most `limit` of them."""
    names = list(names)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(f'"{shown(name)}"' for name in names[:limit]) + rest


def shown(text: str) -> str:
    r"""Returns a text from the data as a message may hold it: what cannot be seen as `\x00`, and not without end."""
    cut = text[:_LONGEST]
    seen = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in cut)
    return seen if cut == text else f"{seen}... ({len(text)} characters)"


def looks(text: str) -> str:
    """Returns a form that texts share which a person takes for the same: case, width, blanks and unseen signs aside."""
    seen = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    return " ".join(seen.translate(_LIKE_LATIN).casefold().split())


def difference(text: str, other: str) -> str:
    """Says in what two texts that look the same differ."""
    if text.casefold() == other.casefold():
        return f'It differs from "{shown(other)}" by case.'
    place, (sign, another) = next(
        (place, signs)
        for place, signs in enumerate(itertools.zip_longest(text, other, fillvalue=""), start=1)
        if signs[0] != signs[1]
    )
    return f'It differs from "{shown(other)}" at character {place}: {_named(sign)}, there {_named(another)}.'


def _named(sign: str) -> str:
    return f"U+{ord(sign):04X} {unicodedata.name(sign, '')}".rstrip() if sign else "the end"
