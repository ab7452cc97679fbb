"""WAV files, one recording each, alone or in a tar archive."""

import io
import posixpath
import struct
import tarfile
from collections.abc import Iterator, Sequence

import soundfile

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.formats import READERS, suffix_of
from components.example_gen.records import BadRecord, InputFile, Record, Unusable, Value
from components.example_gen.text_files import open_unpacked
from components.example_gen.waveforms import Waveform, conform, notes_on
from models.audio_settings import AudioSettings
from models.features import Feature

_BITS = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": None, "DOUBLE": None}
_ARCHIVES = (".tar", ".tgz")
# PCM, floating point, and the extended header that holds either.
_FORMAT_TAGS = (0x0001, 0x0003, 0xFFFE)
_CONTAINERS = ("WAV", "WAVEX")
_RATES = range(1_000, 1_000_000)
# What a recorder writes for the length when it cannot go back to correct it.
_UNKNOWN_LENGTH = 0xFFFFFFFF
_WAY_OUT = "convert it to WAV with PCM of 8, 16, 24 or 32 bits or floating point"
_BLOCK = 1 << 20


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the recording of a WAV file, or all of a tar archive; what else stands in the archive is passed over.

    Raises:
        DataError: if the file cannot be read, or the archive is damaged or holds no WAV file. It may come after records
            were handed out.
    """
    path, named = file.paths[0], READERS[file.format].named(context.features)
    if suffix_of(path) not in _ARCHIVES:
        with open_unpacked(path) as stream:
            whole = stream.read()
        yield _record(whole, path, path.removeprefix(file.root).lstrip("/"), named, context)
        return
    for name, content in _members(path):
        place = f"{path}/{name}"
        if content is None:
            yield BadRecord(place, 0, "it is no file of its own: a link, or a name that the archive has twice")
        else:
            yield _record(content, place, name, named, context)


def decode(content: bytes) -> tuple[Waveform, int, float]:
    """Decodes a WAV file.

    Returns:
        Samples float32 (N, C) in [-1, 1] (floating point formats may go beyond), the rate in hertz, and the largest
        value that the sample format can hold.

    Raises:
        Unusable: if it is empty, not a whole WAV file, or of a codec other than PCM and floating point.
    """
    if not content:
        raise Unusable("the file is empty")
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            if sound.format not in _CONTAINERS or sound.subtype not in _BITS:
                raise Unusable(f"unsupported codec: {sound.subtype} in {sound.format}; {_WAY_OUT}")
            _check_whole(content)
            if sound.samplerate not in _RATES:
                raise Unusable(f"broken header: a rate of {sound.samplerate} Hz")
            samples = sound.read(dtype="float32", always_2d=True)
            bits = _BITS[sound.subtype]
    except soundfile.LibsndfileError as error:
        raise Unusable(_why_not_opened(content, error)) from error
    if not len(samples):
        raise Unusable("it holds no samples")
    # Two's complement reaches less far up than down.
    return samples, sound.samplerate, 1.0 if bits is None else 1.0 - 2.0 ** (1 - bits)


def _check_whole(content: bytes) -> None:
    """Refuses a file that ends before the sound does; libsndfile would return what is there as if it were all."""
    for name, start, size in _chunks(content):
        if name == b"data":
            there = len(content) - start
            if there < size != _UNKNOWN_LENGTH:
                raise Unusable(f"cut off: the header promises {size} bytes of sound, {there} are there")
            return


def _why_not_opened(content: bytes, error: soundfile.LibsndfileError) -> str:
    """Tells a codec that libsndfile does not know, which it calls a malformed chunk, from a header that is broken."""
    for name, start, size in _chunks(content):
        if name == b"fmt " and size >= 2 and start + 2 <= len(content):
            [tag] = struct.unpack_from("<H", content, start)
            if tag not in _FORMAT_TAGS:
                return f"unsupported codec: WAV format 0x{tag:04x}; {_WAY_OUT}"
    return f"broken header: {error.error_string}"


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and promised size of each chunk of a RIFF file."""
    position = 12 if content.startswith(b"RIFF") else len(content)
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        yield name, position + 8, size
        # Chunks begin at even positions.
        position += 8 + size + size % 2


def _record(
    content: bytes, place: str, name: str, named: Sequence[Feature], context: ReadContext
) -> Record | BadRecord:
    audio = AudioSettings.model_validate(context.sections.get("audio", {}))
    try:
        labels = context.facts.values_of(name, named)
        split = context.facts.split_of(name)
        recording = decode(content)
        waveform = conform(*recording, audio)
    except Unusable as error:
        return BadRecord(place, 0, str(error))
    values: dict[str, Value] = {feature.name: labels.get(feature.name, waveform) for feature in context.features}
    return Record(values, place, 0, split_key=name, split=split, notes=notes_on(recording[0], waveform))


class _StrictMember(tarfile.TarInfo):
    """Makes `tarfile` refuse a damaged archive, where it would take the damage for the end."""

    @classmethod
    def fromtarfile(cls, tar: tarfile.TarFile) -> "_StrictMember":
        try:
            return super().fromtarfile(tar)  # type: ignore[return-value]
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error} at byte {tar.offset}") from error


def _members(path: str) -> Iterator[tuple[str, bytes | None]]:
    """Yields name and content of each WAV file of an archive; None for one that has no content of its own."""
    seen: set[str] = set()
    with open_unpacked(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictMember) as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isdir() or suffix_of(name) != ".wav":
                        continue
                    content = archive.extractfile(member) if member.isfile() and name not in seen else None
                    seen.add(name)
                    yield name, content.read() if content else None
        except tarfile.TarError as error:
            raise DataError(
                f"{path}: not a whole tar archive ({error}). Copy or make it again; `tar -tf FILE` lists what is in it."
            ) from error
        # gzip tells a wrong checksum only to who reads to the end.
        while stream.read(_BLOCK):
            pass
    if not seen:
        raise DataError(f"{path}: the archive holds no WAV file. Name one with files that end in .wav.")
