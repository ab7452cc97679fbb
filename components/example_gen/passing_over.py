"""Which names and lines are passed over: one rule for folders, patterns and archives, one for every text format.

What is passed over is counted, by these words, and told at the end.
"""

from collections.abc import Sequence

HIDDEN = "hidden names"
MARKERS = "marker files"
OTHERS = "files of other kinds"
TWICE = "files named twice"
EMPTY = "files without records"
BLANK = "blank lines"
HEADERS = "repeated headers"

# Folders in which programs and systems keep what is not data.
_FOLDERS = frozenset({"__macosx", "__pycache__", "_temporary", "_delta_log", "_spark_metadata", "@eadir", "lost+found"})


def why_passed_over(name: str) -> str:
    """Returns why a file that nobody named is passed over; "" if it is not.

    Args:
        name: its path below the folder, in front of the wildcard, or inside the archive, with slashes.
    """
    *folders, last = [part for part in name.split("/") if part not in ("", ".", "..")] or [""]
    if any(part.startswith(".") for part in (*folders, last)):
        return HIDDEN
    if any(folder.lower() in _FOLDERS for folder in folders):
        return HIDDEN
    # As Spark and its like leave them: _SUCCESS, _metadata, _committed_123.
    return MARKERS if last.startswith("_") and "." not in last else ""


def is_blank(cells: Sequence[str]) -> bool:
    """Whether nothing stands in a line, or in any cell of a row: it is no record, in any format."""
    return not any(cell.strip() for cell in cells)
