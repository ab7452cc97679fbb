"""Which versions of a model lie in a folder, and which of them are wanted."""

import re
from dataclasses import dataclass, field
from pathlib import Path

_NUMBER = re.compile(r"\s*\+?\d+\s*", re.ASCII)
_MAX_VERSION = 2**63 - 1

# Number of files in a folder, their total size in bytes, and the latest change.
Fingerprint = tuple[int, int, int]


@dataclass(frozen=True)
class Latest:
    """Wants the highest version numbers.

    Attributes:
        count: How many.
    """

    count: int = 1

    def choose(self, present: set[int]) -> set[int]:
        """Picks the wanted versions among those present."""
        return set(sorted(present)[-self.count :])


@dataclass(frozen=True)
class Everything:
    """Wants every version."""

    def choose(self, present: set[int]) -> set[int]:
        """Picks the wanted versions among those present."""
        return present


@dataclass(frozen=True)
class Specific:
    """Wants the versions named, where they are present.

    Attributes:
        versions: Their numbers.
    """

    versions: frozenset[int]

    def choose(self, present: set[int]) -> set[int]:
        """Picks the wanted versions among those present."""
        return present & self.versions


VersionPolicy = Latest | Everything | Specific


@dataclass(frozen=True)
class VersionFolders:
    """What one look at a base folder found.

    Attributes:
        complete: Version number to folder, where saved_model.pb is there.
        incomplete: The same for folders without it: still being copied, or not a SavedModel at all.
        unreadable: The same for folders of which that cannot be told.
    """

    complete: dict[int, Path]
    incomplete: dict[int, Path]
    unreadable: dict[int, Path] = field(default_factory=dict)


def find_versions(base_path: Path) -> VersionFolders:
    """Lists the version folders of a model.

    A child is a version when its whole name is a number; the number `1` may be called `001`. Of two names of one
    number the last in alphabetical order counts, as in TensorFlow Serving.

    Raises:
        OSError: The base folder cannot be listed.
    """
    complete: dict[int, Path] = {}
    incomplete: dict[int, Path] = {}
    unreadable: dict[int, Path] = {}
    for child in sorted(base_path.iterdir(), key=lambda path: path.name):
        if not _NUMBER.fullmatch(child.name) or int(child.name) > _MAX_VERSION:
            continue
        try:
            found = complete if (child / "saved_model.pb").is_file() else incomplete
        except OSError:
            found = unreadable
        found[int(child.name)] = child
    incomplete = {number: path for number, path in incomplete.items() if number not in complete}
    return VersionFolders(
        complete, incomplete, {number: path for number, path in unreadable.items() if number not in complete}
    )


def folder_fingerprint(folder: Path) -> Fingerprint:
    """Differs when a copy into the folder went on."""
    count = size = changed = 0
    for path in folder.rglob("*"):
        try:
            facts = path.stat()
        except OSError:  # deleted or renamed between the listing and the look
            continue
        count, size, changed = count + 1, size + facts.st_size, max(changed, facts.st_mtime_ns)
    return count, size, changed
