"""The pushed versions of a model: folders whose names are numbers."""

from pathlib import Path


def versions_in(folder: Path) -> dict[int, Path]:
    """Number to folder; none where there is no such folder."""
    if not folder.is_dir():
        return {}
    # Not isdigit, which takes "\u00b2" too.
    return {int(path.name): path for path in folder.iterdir() if path.name.isdecimal() and path.is_dir()}


def newest_in(folder: Path) -> Path | None:
    """The newest version, or None where there is none."""
    versions = versions_in(folder)
    return versions[max(versions)] if versions else None
