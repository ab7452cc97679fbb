"""The nearest valid name, for messages."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Returns ' Did you mean "x"?' with the choice nearest to `name`, or nothing if none is near."""
    nearest = difflib.get_close_matches(name, list(choices), n=1)
    return f' Did you mean "{nearest[0]}"?' if nearest else ""


def quoted(names: Iterable[str], limit: int = 20) -> str:
    """Returns the names in quotes, at most `limit` of them."""
    names = list(names)
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(f'"{name}"' for name in names[:limit]) + rest
