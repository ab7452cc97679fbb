"""Finds files by path, pattern or folder, local or remote. Nothing here waits, or goes round in a loop."""

import glob
import os
import re
import stat
import urllib.parse
from collections import Counter
from collections.abc import Iterator

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from components.errors import DataError
from components.example_gen.formats import formats_with, suffix_of
from components.example_gen.passing_over import HIDDEN, OTHERS, why_passed_over
from components.example_gen.suggestions import did_you_mean

_KINDS = {
    stat.S_ISFIFO: "a named pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}


def find_files(pattern: str, key: str, passed: Counter[str] | None = None) -> list[str]:
    """Returns the files that `pattern` matches, sorted.

    Args:
        pattern: path, perhaps with wildcards; `file://` too.
        key: the setting it comes from, for the message.
        passed: gets the number of files that are passed over: of hidden and of marker files only those whose own
            pattern names them so are read.

    Raises:
        DataError: if there is none, or one that is no regular file.
    """
    pattern = local_path(pattern, key)
    if "://" in pattern:
        found = _remote(pattern, key)
    elif os.path.exists(pattern):
        found = [pattern]
    else:
        if "**" in pattern and os.path.isdir(root_of(pattern) or "."):
            check_loops(root_of(pattern), key)
        found = sorted(glob.glob(pattern, recursive=True, include_hidden=True))
    files = [path for path in found if not os.path.isdir(path)]
    if found != [pattern]:
        files = _without_hidden(files, pattern, Counter() if passed is None else passed)
    if not files:
        raise DataError(_not_found(pattern, key, found))
    for path in files:
        check_regular(path, key)
    return files


def find_below(folder: str, key: str, suffixes: tuple[str, ...], passed: Counter[str] | None = None) -> list[str]:
    """Returns the files in a local folder and below that end so, packed or not, sorted.

    Args:
        folder: where to look; links to folders are followed.
        key: the setting it comes from, for the message.
        suffixes: of the names, without `.gz` and its like.
        passed: gets the number of files, and of hidden folders, that are passed over.

    Raises:
        DataError: if there is none, one that is no regular file, a folder that cannot be listed, or a loop of links.
    """
    found, over = [], Counter[str]() if passed is None else passed
    for path in _walk(folder, key, over):
        if why := why_passed_over(os.path.relpath(path, folder)):
            over[why] += 1
        elif suffix_of(path) not in suffixes:
            over[OTHERS] += 1
        else:
            check_regular(path, key)
            found.append(path)
    if not found:
        raise DataError(f'"{key}": no file in {folder} or below ends in {" or ".join(suffixes)}. Correct the path.')
    return sorted(found)


def local_path(pattern: str, key: str) -> str:
    """Returns the path in a `file://` address; what is no such address comes back as it is.

    Raises:
        DataError: if the address names another machine.
    """
    if not pattern.lower().startswith("file://"):
        return pattern
    # Not `urlsplit`: it would take ? and # out of a name.
    host, _, path = pattern[len("file://") :].partition("/")
    if host not in ("", "localhost"):
        raise DataError(
            f'"{key}": a file:// address must have three slashes. Received: {pattern}. '
            f"Write file:///absolute/path, or the path alone: {host}/{path}."
        )
    return urllib.parse.unquote(f"/{path}")


def root_of(pattern: str) -> str:
    """The folder in front of the first wildcard."""
    fixed = pattern if os.path.exists(pattern) else re.split(r"[*?\[]", pattern)[0]
    return os.path.dirname(fixed)


def check_regular(path: str, key: str = "") -> None:
    """Refuses what would keep a reader waiting.

    Raises:
        DataError: if the path names a pipe, a socket or a device.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return  # whoever opens it gets the reason
    for is_kind, name in _KINDS.items():
        if is_kind(mode):
            where = f'"{key}": ' if key else ""
            raise DataError(f"{where}{path} is {name}; only regular files can be read. Write its content to a file.")


def check_loops(folder: str, key: str) -> None:
    """Refuses links that lead back to a folder above them.

    Raises:
        DataError: if there is one below the folder.
    """
    for _ in _walk(folder or ".", key, None):
        pass


def _walk(folder: str, key: str, passed: Counter[str] | None, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yields all files; of hidden folders only where nobody counts what is passed over."""
    real = os.path.realpath(folder)
    if real in above:
        raise DataError(f'"{key}": {folder} is a link that leads back to {real}: a loop. Remove the link.')
    try:
        with os.scandir(folder) as entries:
            entries_there = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f'"{key}": the folder {folder} cannot be listed ({error.strerror}).') from error
    for entry in entries_there:
        if not _is_folder(entry):
            yield entry.path
        elif passed is not None and why_passed_over(f"{entry.name}/file"):
            passed[HIDDEN] += 1
        else:
            yield from _walk(entry.path, key, passed, (*above, real))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _remote(pattern: str, key: str) -> list[str]:
    scheme = pattern.partition("://")[0].lower()
    if scheme in ("http", "https", "ftp"):
        raise DataError(
            f'"{key}": files are read from disk or from a bucket, not from the web. Received: {pattern}. '
            f"Fetch the file first: curl -LO {pattern}"
        )
    try:
        return sorted(metadata.path for metadata in FileSystems.match([pattern])[0].metadata_list)
    except Exception as error:  # each file system has errors of its own
        raise DataError(
            f'"{key}": {pattern} cannot be listed: {_first_line(error)}. Check the address, or give a local path.'
        ) from error


def _first_line(error: Exception) -> str:
    reason = str(error) if not isinstance(error, BeamIOError) else str(error.exception_details or error)
    return (reason.strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _without_hidden(files: list[str], pattern: str, passed: Counter[str]) -> list[str]:
    root = root_of(pattern)
    behind = pattern[len(root) :].lstrip("/")
    kept = []
    for path in files:
        why = why_passed_over(path[len(root) :].lstrip("/"))
        # A pattern with a dot or an underscore of its own means such names: `.cache/*`, `_SUC*`.
        if why and not re.search(r"(?:^|/)[._]", behind):
            passed[why] += 1
        else:
            kept.append(path)
    return kept


def _not_found(pattern: str, key: str, found: list[str]) -> str:
    if any(map(os.path.isdir, found)):
        formats = ", ".join(formats_with("below"))
        return (
            f'"{key}" must name files. Received: {pattern}, a folder. Add a pattern, such as {pattern}/*.tsv, '
            f"or set data.format ({formats}): then all such files in it and below are read."
        )
    if found:
        return f'"{key}": {pattern} matches hidden and marker files only, which are passed over. Name others.'
    start = "" if "://" in pattern or os.path.isabs(pattern) else f" (relative to {os.getcwd()})"
    if glob.has_magic(pattern):
        return f'"{key}": no file matches {pattern}{start}. Correct the pattern.'
    folder, name = os.path.split(pattern)
    if "://" not in pattern and not os.path.isdir(folder or "."):
        return f'"{key}": no file at {pattern}{start}: the folder {folder} does not exist. Correct the path.'
    siblings = os.listdir(folder or ".") if "://" not in pattern else []
    return f'"{key}": no file at {pattern}{start}.{did_you_mean(name, siblings) or " Correct the path."}'
