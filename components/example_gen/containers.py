"""The containers of WAV recordings, chunk by chunk: is all of the sound there, and where does it end?

libsndfile reads what is there as if it were all, and takes some lengths that writers leave for lengths.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from components.example_gen.records import Unusable

# Writers that cannot go back to correct a length leave one near these; up to so much below.
_ALL_ONES = 0xFFFF_FFFF
_UNKNOWN = (1 << 31, _ALL_ONES, 1 << 63, (1 << 64) - 1)
_NEAR = 0x2000
_RIFFS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"BW64": "<"}
_W64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, where its content starts, and how long the header says that is."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Container:
    """What the chunks of a recording say.

    Attributes:
        content: the file, without tags in front.
        codec: the number of the sample format; 0 where there is none.
        block: bytes that one sample of all channels takes; 0 where there is none.
        sound: the chunk of the sound; None where there is none.
        promised: bytes of sound that the header promises; those that are there where the writer left no length.
    """

    content: bytes
    codec: int = 0
    block: int = 0
    sound: Chunk | None = None
    promised: int = 0

    @property
    def known(self) -> bool:
        """Whether it is one of those that are read."""
        return self.content[:4] in _RIFFS or self.content.startswith(_W64)

    @property
    def there(self) -> int:
        """Bytes of sound that are there."""
        return min(self.promised, len(self.content) - self.sound.start) if self.sound else 0

    @property
    def frames(self) -> int:
        """Samples of each channel that must come out of the decoder."""
        return self.there // self.block if self.block else 0


def container_of(content: bytes) -> Container:
    """Reads the chunks of a RIFF, RIFX, RF64, BW64 or W64 file, behind ID3 tags; of others none.

    Raises:
        Unusable: if the sound is cut off, or another recording follows in the same file.
    """
    content = content[_tag_length(content) :]
    if content.startswith(b"BW64"):
        content = b"RF64" + content[4:]  # the same by another name, which libsndfile does not know
    order = "<" if content.startswith(_W64) else _RIFFS.get(content[:4], "<")
    codec = block = long_size = 0
    for chunk in _chunks(content, order):
        if chunk.name == b"ds64" and len(content) >= chunk.start + 16:
            [long_size] = struct.unpack_from("<Q", content, chunk.start + 8)
        elif chunk.name == b"fmt " and len(content) >= chunk.start + 14:
            codec, block = struct.unpack_from(f"{order}H10xH", content, chunk.start)
        elif chunk.name == b"data":
            return _with_sound(Container(content, codec, block), chunk, long_size)
    return Container(content, codec, block)


def _with_sound(found: Container, chunk: Chunk, long_size: int) -> Container:
    content, there = found.content, len(found.content) - chunk.start
    size = long_size if content.startswith(b"RF64") and chunk.size == _ALL_ONES else chunk.size
    if size > there and _is_unknown(size) or size == 0 and there and not _ends_well(content, chunk.start):
        size = there
    elif size > there:
        raise Unusable(f"cut off: the header promises {size} bytes of sound, {there} are there")
    if _another_follows(content, chunk.start + size):
        raise Unusable("another recording follows in the same file; split them, or join their sound")
    return Container(_with_size(content, chunk, size), found.codec, found.block, chunk, size)


def _is_unknown(size: int) -> bool:
    return any(limit - _NEAR <= size <= limit for limit in _UNKNOWN)


def _another_follows(content: bytes, end: int) -> bool:
    if content.startswith(_W64):
        return any(content.startswith(_W64, at) for at in (end, (end + 7) // 8 * 8))
    position = end + end % 2 if content[:4] in _RIFFS else len(content)
    for chunk in _chunks(content, _RIFFS.get(content[:4], "<"), position):
        if chunk.name in _RIFFS and content.startswith(b"WAVE", chunk.start):
            return True
    return False


def _ends_well(content: bytes, start: int) -> bool:
    """Whether nothing but chunks stands behind an empty one: then there is no sound."""
    end = start
    for chunk in _chunks(content, _RIFFS.get(content[:4], "<"), start):
        if not chunk.name.isascii() or not chunk.name.decode("latin-1").isprintable():
            return False
        end = chunk.start + chunk.size
    return end >= len(content) - 1 and end > start


def _with_size(content: bytes, chunk: Chunk, size: int) -> bytes:
    """Writes the length of the sound into the header, so that the decoder need not guess it."""
    if content.startswith(_W64):
        return content[: chunk.start - 8] + struct.pack("<Q", size + 24) + content[chunk.start :]
    if content.startswith(b"RF64") and chunk.size == _ALL_ONES:
        if (at := content.find(b"ds64", 12)) > 0:
            return content[: at + 16] + struct.pack("<Q", size) + content[at + 24 :]
        return content
    order = _RIFFS.get(content[:4], "<")
    return content[: chunk.start - 4] + struct.pack(f"{order}I", min(size, _ALL_ONES)) + content[chunk.start :]


def _chunks(content: bytes, order: str, position: int = 0) -> Iterator[Chunk]:
    if content.startswith(_W64):
        yield from _wide_chunks(content, position or 40)
        return
    position = position or (12 if content[:4] in _RIFFS else len(content))
    while position + 8 <= len(content):
        name, size = struct.unpack_from(f"{order}4sI", content, position)
        yield Chunk(name, position + 8, size)
        # Chunks begin at even positions.
        position += 8 + size + size % 2


def _wide_chunks(content: bytes, position: int) -> Iterator[Chunk]:
    while position + 24 <= len(content):
        name, tail, size = struct.unpack_from("<4s12sQ", content, position)
        if tail != _W64_TAIL or size < 24:
            return
        yield Chunk(name, position + 24, size - 24)
        position += (size + 7) // 8 * 8


def _tag_length(content: bytes) -> int:
    """Length of the ID3v2 tags in front, which programs that label music leave there."""
    position = 0
    while content[position : position + 3] == b"ID3" and position + 10 <= len(content):
        size = 0
        for byte in content[position + 6 : position + 10]:
            size = size << 7 | byte & 0x7F
        footer = 10 if content[position + 5] & 0x10 else 0
        position += 10 + size + footer
    return position
