"""Opens files, local or remote, plain or gzip, and reads them line by line."""

import codecs
import glob
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.errors import DataError
from components.example_gen.formats import READERS, formats_with
from components.example_gen.plain_files import check_no_loop, check_plain
from components.example_gen.suggestions import did_you_mean

_FOREIGN_MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end; `problem` says which byte is not text, and `text` has U+FFFD there."""

    number: int
    text: str
    problem: str = ""


def find_files(pattern: str, key: str) -> list[str]:
    """Returns the files that `pattern` matches, sorted.

    Args:
        pattern: path, perhaps with wildcards.
        key: the setting it comes from, for the message.

    Raises:
        DataError: if there is none.
    """
    if "://" in pattern:
        try:
            found = sorted(metadata.path for metadata in FileSystems.match([pattern])[0].metadata_list)
        except (BeamIOError, ValueError, ImportError) as error:
            raise DataError(f'"{key}": {pattern} cannot be listed: {error}') from error
    else:
        check_plain([pattern], key)
        if "**" in pattern and not os.path.exists(pattern):
            check_no_loop(pattern.partition("**")[0] or ".", key)
        found = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
    files = [path for path in found if not os.path.isdir(path)]
    if not files:
        raise DataError(_not_found(pattern, key, found))
    check_plain(files, key)
    return files


def find_below(folder: str, key: str, suffixes: tuple[str, ...]) -> list[str]:
    """Returns the files in a local folder and below that end so, sorted.

    Raises:
        DataError: if there is none.
    """
    check_no_loop(folder, key)
    found = [
        os.path.join(parent, name)
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(suffixes)
    ]
    if not found:
        raise DataError(f'"{key}": no file in {folder} or below ends in {" or ".join(suffixes)}. Correct the path.')
    check_plain(found, key)
    return sorted(found)


def _not_found(pattern: str, key: str, folders: list[str]) -> str:
    if folders:
        below = [f"for {READERS[name].holds} set data.format {name}" for name in formats_with("below")]
        return (
            f'"{key}" must name files. Received: {pattern}, a folder. Add a pattern, such as {pattern}/*.tsv, '
            f"or {', or '.join(below)}."
        )
    start = "" if "://" in pattern or os.path.isabs(pattern) else f" (relative to {os.getcwd()})"
    if glob.has_magic(pattern):
        return f'"{key}": no file matches {pattern}{start}. Correct the pattern.'
    folder, name = os.path.split(pattern)
    if "://" not in pattern and not os.path.isdir(folder or "."):
        return f'"{key}": no file at {pattern}{start}: the folder {folder} does not exist. Correct the path.'
    siblings = os.listdir(folder or ".") if "://" not in pattern else []
    return f'"{key}": no file at {pattern}{start}.{did_you_mean(name, siblings) or " Correct the path."}'


@contextmanager
def open_raw(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading as it is.

    Raises:
        DataError: if it cannot be opened or read, also while the caller reads.
    """
    check_plain([path], "")
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            yield cast(BinaryIO, stream)
    except (OSError, BeamIOError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Check that it exists and that you may read it.") from error


@contextmanager
def open_unpacked(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading, unpacked if its name ends in `.gz` or `.tgz`.

    Raises:
        DataError: as `open_raw`, and if the gzip data are damaged.
    """
    with open_raw(path) as raw:
        if not path.endswith((".gz", ".tgz")):
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield cast(BinaryIO, unpacked)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"{path}: not a whole gzip file ({error}). Copy or make it again; `gzip -t FILE` tells if it is whole."
            ) from error


def read_lines(path: str, encoding: str) -> Iterator[Line]:
    r"""Yields the lines of a text file; only `\n` and `\r\n` end a line, and a byte order mark is dropped.

    Other separators that Python's `str.splitlines` knows (U+2028, U+0085, form feed) stay in the text: in parallel
    text they would shift one side against the other.

    Raises:
        DataError: if the file is empty, cannot be read, or is UTF-16.
    """
    number = 0
    with open_unpacked(path) as stream:
        for number, raw in enumerate(stream, start=1):
            if number == 1:
                raw = _without_mark(raw, path)
            yield _decode(raw, number, encoding)
    if number == 0:
        raise DataError(f"{path}: the file is empty. Give a file with records, or take it out of the settings.")


def _without_mark(raw: bytes, path: str) -> bytes:
    for mark, name in _FOREIGN_MARKS.items():
        if raw.startswith(mark):
            raise DataError(f"{path}: the file is {name}. Convert it first: iconv -f {name} -t UTF-8 FILE > NEW_FILE.")
    return raw.removeprefix(codecs.BOM_UTF8)


def _decode(raw: bytes, number: int, encoding: str) -> Line:
    raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    try:
        return Line(number, raw.decode(encoding))
    except UnicodeDecodeError as error:
        problem = f"not {encoding}: byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        return Line(number, raw.decode(encoding, errors="replace"), problem)
