"""The scripts of letters."""

import functools
import unicodedata


@functools.lru_cache(maxsize=65_536)
def script_of(letter: str) -> str:
    """The first word of its Unicode name, such as LATIN, CYRILLIC, HANGUL, CJK; OTHER for a letter without a name."""
    return unicodedata.name(letter, "OTHER").split(" ")[0].split("-")[0]
