"""Artifact paths are URIs: what must lie on the local disk is brought there and taken away from there here."""

import contextlib
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from tfx.utils import io_utils


@contextlib.contextmanager
def local_copy(uri: str) -> Iterator[Path]:
    """A folder to read: itself where it is local, else a copy that goes when the `with` ends.

    Args:
        uri: a path, `file://...`, or what TFX's file systems know, such as `gs://bucket/folder`.
    """
    if (path := _local_path(uri)) is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="seqline-copy-") as scratch:
        io_utils.copy_dir(uri, scratch)
        yield Path(scratch)


@contextlib.contextmanager
def local_output(uri: str) -> Iterator[Path]:
    """A folder to write: itself where it is local, else one whose files go to the URI when the `with` ends well.

    Args:
        uri: as for `local_copy`; the folder exists where it is local.
    """
    if (path := _local_path(uri)) is not None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="seqline-output-") as scratch:
        yield Path(scratch)
        io_utils.copy_dir(scratch, uri)


def _local_path(uri: str) -> Path | None:
    scheme, found, _ = uri.partition("://")
    if not found:
        return Path(uri)
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(uri).path)) if scheme == "file" else None
