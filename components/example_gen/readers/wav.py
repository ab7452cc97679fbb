"""WAV files, one recording each, alone or in a tar archive."""

import io
import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import soundfile

from components.errors import DataError
from components.example_gen.containers import Container, container_of
from components.example_gen.context import ReadContext
from components.example_gen.first_bytes import HEAD, content_of
from components.example_gen.formats import READERS, suffix_of
from components.example_gen.packing import unpacked
from components.example_gen.passing_over import OTHERS, why_passed_over
from components.example_gen.records import BadRecord, InputFile, Record, Unusable, Value, told
from components.example_gen.text_files import open_unpacked
from components.example_gen.waveforms import Waveform, conform, remarks_on
from models.audio_settings import AudioSettings
from models.features import Feature

_BITS = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": None, "DOUBLE": None}
_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tzst")
# Where a tar archive has its name, whatever the file's is.
_TAR_MARK = slice(257, 262)
# PCM, floating point, and the extended header that holds either.
_FORMAT_TAGS = (0x0001, 0x0003, 0xFFFE)
_CONTAINERS = ("WAV", "WAVEX", "RF64", "W64")
_RATES = range(1_000, 1_000_000)
# Louder than full scale by this factor is no recording, but numbers of another scale.
_LOUDEST = 16.0
_WAY_OUT = "convert it to WAV with PCM of 8, 16, 24 or 32 bits or floating point"
_BLOCK = 1 << 20


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the recording of a WAV file, or all of a tar archive; what else stands in the archive is passed over.

    Raises:
        DataError: if the file cannot be read, or the archive is damaged or holds no WAV file. It may come after records
            were handed out.
    """
    path, named = file.paths[0], READERS[file.format].named(context.features)
    if not _is_archive(path):
        with open_unpacked(path) as stream:
            whole = stream.read()
        yield _record(whole, path, path.removeprefix(file.root).lstrip("/"), named, context)
        return
    for name, content in _members(path, context):
        place = f"{path}/{name}"
        if content is None:
            yield BadRecord(place, 0, "it is no file of its own: a link, or a name that the archive has twice")
        else:
            yield _record(content, place, name, named, context)


def decode(content: bytes) -> tuple[Waveform, int, float]:
    """Decodes a WAV file: RIFF, RIFX, RF64, BW64 or W64.

    Returns:
        Samples float32 (N, C) in [-1, 1] (floating point formats may go beyond), the rate in hertz, and the largest
        value that the sample format can hold.

    Raises:
        Unusable: if it is empty, not a whole WAV file, or of a codec other than PCM and floating point.
    """
    if not content:
        raise Unusable("the file is empty")
    try:
        with unpacked(io.BytesIO(content), "the recording") as stream:
            content = stream.read()
        return _decode(container_of(content))
    except soundfile.LibsndfileError as error:
        raise Unusable(_why_not_opened(content, error.error_string)) from error
    except DataError as error:
        raise Unusable(str(error)) from error
    except Unusable:
        raise
    except Exception as error:  # what a header asks for may be too much for the library, or for the memory
        raise Unusable(f"broken header: {told(error)}") from error


def _decode(container: Container) -> tuple[Waveform, int, float]:
    if not container.known:
        # Decoders of other formats would look for sound in whatever it is, and talk on the terminal meanwhile.
        other = content_of(container.content[:HEAD], recording=True)
        raise Unusable(f"not a WAV file: {other or 'it begins otherwise'}")
    with soundfile.SoundFile(io.BytesIO(container.content)) as sound:
        if sound.format not in _CONTAINERS or sound.subtype not in _BITS:
            raise Unusable(f"unsupported codec: {sound.subtype} in {sound.format}; {_WAY_OUT}")
        if sound.samplerate not in _RATES:
            raise Unusable(f"broken header: a rate of {sound.samplerate} Hz")
        samples = sound.read(dtype="float32", always_2d=True)
        bits = _BITS[sound.subtype]
    if not len(samples):
        raise Unusable("it holds no samples")
    if len(samples) < container.frames:
        raise Unusable(f"cut off: the header promises {container.frames} samples, {len(samples)} can be read")
    peak = np.abs(samples).max()
    if bits is None and peak > _LOUDEST:
        raise Unusable(
            f"its floating point samples reach {peak:.0f}, where full scale is 1: whole numbers stored as they are? "
            "Divide them by the largest value of their format (32,768 for 16 bits)"
        )
    # Two's complement reaches less far up than down.
    return samples, sound.samplerate, 1.0 if bits is None else 1.0 - 2.0 ** (1 - bits)


def _why_not_opened(content: bytes, reason: str) -> str:
    """Tells a codec that libsndfile does not know, which it calls a malformed chunk, from a header that is broken."""
    codec = container_of(content).codec
    if codec and codec not in _FORMAT_TAGS:
        return f"unsupported codec: WAV format 0x{codec:04x}; {_WAY_OUT}"
    return f"broken header: {reason}"


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
    return Record(values, place, 0, split_key=name, split=split, remarks=remarks_on(recording[0], waveform))


def _is_archive(path: str) -> bool:
    if suffix_of(path) in _ARCHIVES or path.lower().endswith(_ARCHIVES):
        return True
    with open_unpacked(path) as stream:
        return stream.read(HEAD)[_TAR_MARK] == b"ustar"


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


def _members(path: str, context: ReadContext) -> Iterator[tuple[str, bytes | None]]:
    """Yields name and content of each WAV file of an archive; None for one that has no content of its own."""
    seen: set[str] = set()
    with open_unpacked(path) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictMember) as archive:
                for member in archive:
                    name = posixpath.normpath(member.name)
                    if member.isdir():
                        continue
                    why = why_passed_over(name)
                    if why or suffix_of(name) != ".wav":
                        context.passed[why or OTHERS] += 1
                        continue
                    content = archive.extractfile(member) if member.isfile() and name not in seen else None
                    seen.add(name)
                    yield name, content.read() if content else None
        except (DataError, OSError, EOFError, zlib.error, lzma.LZMAError):
            raise  # of the packing, or the disk
        except Exception as error:  # a damaged archive brings out errors of many classes
            reason = str(error) if isinstance(error, tarfile.TarError) else told(error)
            raise DataError(
                f"{path}: not a whole tar archive ({reason}). Copy or make it again; `tar -tf FILE` lists "
                "what is in it."
            ) from error
        # A packing tells a wrong checksum only to who reads to the end.
        while stream.read(_BLOCK):
            pass
    if not seen:
        raise DataError(f"{path}: the archive holds no WAV file. Name one with files that end in .wav.")
