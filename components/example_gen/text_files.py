"""Opens files, local or remote, plain or packed, and reads them line by line."""

import codecs
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.errors import DataError
from components.example_gen.finding import check_regular
from components.example_gen.first_bytes import not_text
from components.example_gen.packing import unpacked
from components.example_gen.passing_over import BLANK, is_blank

if TYPE_CHECKING:
    from components.example_gen.context import ReadContext

LONGEST = 16 << 20
_BLOCK = 1 << 20
_RETURN = (
    "a carriage return (CR) inside the line; lines end in LF or CR LF, or in CR alone throughout. "
    "Convert the file: tr '\\r' '\\n' < FILE > NEW_FILE"
)
_FEED = (
    "a line feed (LF), where the lines before it end in CR alone. Convert the file: tr '\\r' '\\n' < FILE > NEW_FILE"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end.

    Attributes:
        number: from 1.
        text: with U+FFFD where a byte is not text; only the beginning where the line is too long.
        problem: why it is no text that can be read, or "".
        quotes: number of quotation marks in it, those of what is left out too.
        too_long: whether `text` is only its beginning.
    """

    number: int
    text: str
    problem: str = ""
    quotes: int = 0
    too_long: bool = False


@contextmanager
def open_raw(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading as it is.

    Raises:
        DataError: if it cannot be opened or read, also while the caller reads, or is no regular file.
    """
    check_regular(path)
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as stream:
            yield cast(BinaryIO, stream)
    except (OSError, BeamIOError) as error:
        raise DataError(f"{path}: cannot be read ({error}). Check that it exists and that you may read it.") from error


@contextmanager
def open_unpacked(path: str) -> Iterator[BinaryIO]:
    """Opens a file for reading, unpacked if its content is packed, whatever its name says.

    Raises:
        DataError: as `open_raw`, and as `packing.unpacked`.
    """
    with open_raw(path) as raw, unpacked(raw, path) as stream:
        yield stream


def read_lines(
    path: str, encoding: str, keep_ends: bool = False, longest: int = LONGEST, quoted: bool = False
) -> Iterator[Line]:
    r"""Yields the lines of a text file; `\n` and `\r\n` end a line, or throughout `\r`. Byte order marks are dropped.

    Other separators that Python's `str.splitlines` knows (U+2028, U+0085, form feed) stay in the text: in parallel
    text they would shift one side against the other.

    Args:
        path: of the file.
        encoding: by Python's name.
        keep_ends: whether a line's text has its end, too.
        longest: bytes of a line that are kept; a longer one has a problem.
        quoted: whether a field in quotes may hold a carriage return.

    Raises:
        DataError: if the file is empty, cannot be read, is not text, or is UTF-16 or UTF-32.
    """
    with open_unpacked(path) as stream:
        beginning = stream.read(_BLOCK)
    if not beginning:
        raise DataError(f"{path}: the file is empty. Give a file with records, or take it out of the settings.")
    if problem := not_text(beginning):
        raise DataError(f"{path}: {problem}")
    returns = b"\r" in beginning and b"\n" not in beginning
    stray, allowed = (b"\n", False) if returns else (b"\r", quoted)
    with open_unpacked(path) as stream:
        raw_lines = _ended_by_return(stream, longest) if returns else _ended_by_feed(stream, longest)
        for number, (raw, left_out) in enumerate(raw_lines, start=1):
            end = len(raw.removesuffix(b"\r")) if returns else len(raw.removesuffix(b"\n").rstrip(b"\r"))
            # Files that were put together keep the mark of each.
            line = raw[:end].removeprefix(codecs.BOM_UTF8)
            problem = f"the line is longer than {longest:,} bytes; see data.max_record_megabytes" if left_out else ""
            if not problem and stray in line and not allowed:
                problem = _FEED if returns else _RETURN
            quotes = line.count(b'"') + left_out.count(b'"')
            if keep_ends:
                line += raw[end:]
            yield _decoded(line, number, encoding, problem, quotes, bool(left_out))


def full_lines(path: str, context: "ReadContext") -> Iterator[Line]:
    """Yields the lines in which something stands; the others are passed over, and counted."""
    for line in read_lines(path, context.data.encoding, longest=context.data.longest_record):
        if line.problem or not is_blank([line.text]):
            yield line
        else:
            context.passed[BLANK] += 1


def _ended_by_feed(stream: BinaryIO, longest: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields each line, and the quotation marks of what is left out of it, or a blank for none of them."""
    while raw := stream.readline(longest + 1):
        left_out = b""
        if len(raw) > longest and not raw.endswith(b"\n"):
            left_out = b" "
            while more := stream.readline(_BLOCK):
                left_out += b'"' * (more.count(b'"') % 2)
                if more.endswith(b"\n"):
                    break
        yield raw, left_out


def _ended_by_return(stream: BinaryIO, longest: int) -> Iterator[tuple[bytes, bytes]]:
    rest, left_out = b"", b""
    for block in itertools.chain(iter(lambda: stream.read(_BLOCK), b""), [b""]):
        *lines, rest = (rest + block).split(b"\r")
        for line in lines:
            yield line + b"\r", left_out
            left_out = b""
        if len(rest) > longest:
            left_out += b" " + b'"' * (rest[longest:].count(b'"') % 2)
            rest = rest[:longest]
    if rest:
        yield rest, left_out


def _decoded(raw: bytes, number: int, encoding: str, problem: str, quotes: int, too_long: bool) -> Line:
    try:
        text = raw.decode(encoding)
        if encoding != "utf-8":
            text.encode()  # some encodings spell what is no character
    except UnicodeDecodeError as error:
        text = raw.decode(encoding, errors="replace")
        problem = problem or f"not {encoding}: byte 0x{raw[error.start]:02x} at position {error.start + 1}"
    except UnicodeError as error:
        text = raw.decode("utf-8", errors="replace")
        problem = problem or f"not {encoding}: {error}"
    return Line(number, text, problem, quotes, too_long)
