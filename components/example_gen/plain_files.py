"""Refuses at once what would be read for ever, or never: named pipes, devices, links that lead in a circle."""

import errno
import os
import stat
from collections.abc import Iterable

from components.errors import DataError

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_plain(paths: Iterable[str], key: str) -> None:
    """Looks at local files, without opening them.

    Args:
        paths: of files; URIs are passed over.
        key: the setting they come from, for the message; "" for none.

    Raises:
        DataError: one of them is no file that can be read from start to end, twice.
    """
    for path in paths:
        kind = "" if "://" in path else _KINDS.get(_mode(path, key), "")
        if kind:
            raise DataError(
                f"{_start(key)}{path} is {kind}; data are read more than once, and a run must not wait for ever. "
                "Give a regular file."
            )


def check_no_loop(folder: str, key: str) -> None:
    """Raises DataError where, in a local folder or below, links lead back to a folder that they stand in."""
    above: set[str] = set()
    done: set[str] = set()
    # Folder and whether all below it has been passed: a walk by hand, for a deep tree is deeper than Python's stack.
    waiting = [(folder, False)]
    while waiting:
        path, left = waiting.pop()
        real = os.path.realpath(path)
        if left:
            above.discard(real)
            done.add(real)
        elif real in above:
            raise DataError(f"{_start(key)}{path} is a link to {real}, which it stands in itself: a loop. Remove it.")
        elif real not in done:
            above.add(real)
            waiting += [(path, True), *((below, False) for below in _folders_in(path))]


def _folders_in(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.path for entry in entries if _is_folder(entry)]
    except OSError:
        return []  # of no use to a glob either


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle by itself


def _mode(path: str, key: str) -> int:
    try:
        return stat.S_IFMT(os.stat(path).st_mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DataError(f"{_start(key)}{path} is a link that leads to itself: a loop. Remove it.") from None
        return 0  # told by who opens it


def _start(key: str) -> str:
    return f'"{key}": ' if key else ""
