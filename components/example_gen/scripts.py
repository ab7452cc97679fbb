"""The scripts of letters."""

import functools
import sys
import unicodedata

# Letters whose names do not begin with the script that they are written among.
_ALSO = {"IDEOGRAPHIC": "CJK", "KATAKANA-HIRAGANA": "KATAKANA"}


@functools.lru_cache(maxsize=65_536)
def script_of(letter: str) -> str:
    """The first word of its Unicode name, such as LATIN, CYRILLIC, HANGUL, CJK; OTHER for a letter without a name."""
    # A full-width letter is of the script of the plain one.
    plain = unicodedata.normalize("NFKC", letter)[:1]
    return _ALSO.get(name := unicodedata.name(plain, "OTHER").split(" ")[0].split("-")[0], name)


@functools.cache
def scripts() -> frozenset[str]:
    """All that `script_of` gives."""
    return frozenset(script_of(letter) for letter in map(chr, range(sys.maxunicode + 1)) if letter.isalpha())
