"""One digest for a set of files: what tells the cache that data, code or a model of another run have changed."""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20


def _open(path: str) -> BinaryIO:
    return open(path, "rb")


def hash_files(
    files: Iterable[tuple[str, str | Path]], open_file: Callable[[str], AbstractContextManager[BinaryIO]] = _open
) -> str:
    """SHA-256 over names and contents, in hexadecimal.

    The content is read, not the time stamp: a fresh checkout of the same files has the same digest, and an edit within
    the clock's grain is not missed. Reading costs about one second per gigabyte.

    Args:
        files: name, as it counts for the digest, and path of each, in an order that is always the same.
        open_file: opens a path, for files that do not lie on the local disk.
    """
    digest = hashlib.sha256()
    for name, path in files:
        content = hashlib.sha256()
        with open_file(str(path)) as stream:
            while block := stream.read(_BLOCK):
                content.update(block)
        # A digest per file has a fixed length: no two sets of files can run together to the same bytes.
        digest.update(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() + content.digest())
    return digest.hexdigest()


def hash_folder(folder: Path) -> str:
    """SHA-256 over all files below a folder, in hexadecimal; where the folder stands does not count."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return hash_files((str(path.relative_to(folder)), path) for path in paths)
