"""Packed files: known by their first bytes, whatever their names say, and unpacked while they are read."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pyarrow as pa

from components.errors import DataError


@dataclass(frozen=True)
class Packing:
    """One way of packing.

    Attributes:
        magic: the first bytes.
        endings: of the names that promise it, with those of packed tar archives.
        open: unpacks a stream.
        errors: what a damaged file raises while it is read.
    """

    magic: bytes
    endings: tuple[str, ...]
    open: Callable[[BinaryIO], Any]
    errors: tuple[type[Exception], ...]


PACKINGS: dict[str, Packing] = {
    "gzip": Packing(
        b"\x1f\x8b",
        (".gz", ".tgz"),
        lambda raw: gzip.GzipFile(fileobj=raw),
        (gzip.BadGzipFile, EOFError, zlib.error),
    ),
    "bzip2": Packing(b"BZh", (".bz2", ".tbz2"), bz2.BZ2File, (OSError, EOFError, ValueError)),
    "xz": Packing(b"\xfd7zXZ\0", (".xz", ".txz"), lzma.LZMAFile, (lzma.LZMAError, EOFError, MemoryError)),
    # Not the zstandard package: it takes a file that was cut off for a whole one.
    "zstd": Packing(
        b"\x28\xb5\x2f\xfd",
        (".zst", ".tzst"),
        lambda raw: pa.CompressedInputStream(raw, "zstd"),
        (OSError, pa.ArrowException, MemoryError),
    ),
}
_BZIP2_BLOCK, _BZIP2_END = b"1AY&SY", b"\x17rE8P\x90"


def packing_of(head: bytes) -> str:
    """Returns the name of the packing that the first bytes of a file show; "" for none."""
    for name, packing in PACKINGS.items():
        if head.startswith(packing.magic) and (name != "bzip2" or head[4:10] in (_BZIP2_BLOCK, _BZIP2_END)):
            return name
    return ""


def promised_by(path: str) -> str:
    """Returns the name of the packing that a file's name promises; "" for none."""
    lower = path.lower()
    return next((name for name, packing in PACKINGS.items() if lower.endswith(packing.endings)), "")


@contextmanager
def unpacked(raw: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """Opens what is packed in a stream, or hands on the stream itself.

    Args:
        raw: at its beginning; can be rewound.
        path: for messages, and for what its name promises.

    Raises:
        DataError: if the name promises a packing and the content is none, or it is damaged, also while the caller
            reads.
    """
    head = raw.read(16)
    raw.seek(0)
    name = packing_of(head) or (promised_by(path) if head else "")
    if not name:
        yield raw
        return
    try:
        with PACKINGS[name].open(raw) as stream:
            yield cast(BinaryIO, io.BufferedReader(stream, 1 << 16))
    except PACKINGS[name].errors as error:
        raise DataError(
            f"{path}: not a whole {name} file ({error}). Copy or make it again; `{name} -t FILE` tells if it is whole."
        ) from error
