"""Writes small recordings for tests."""

import io
import tarfile
from pathlib import Path

import numpy as np
import soundfile

from models.registry import TASKS
from tests.components.example_gen.files import write

GENERATION = TASKS["audio_generation"].features
CLASSIFICATION = TASKS["audio_classification"].features
RATE = 8000


def tone(seconds: float = 0.1, rate: int = RATE, hertz: float = 500.0, peak: float = 0.5) -> np.ndarray:
    """A sine, float (N,)."""
    return peak * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def wav_bytes(samples=None, rate=RATE, subtype="PCM_16", container="WAV") -> bytes:
    """A whole WAV file; a tone where no samples are given."""
    stream = io.BytesIO()
    soundfile.write(stream, tone() if samples is None else samples, rate, subtype=subtype, format=container)
    return stream.getvalue()


def write_wav(path: Path, samples=None, **options) -> str:
    return write(path, wav_bytes(samples, **options))


def tar_bytes(members: dict[str, bytes], compression: str = "") -> bytes:
    """A tar archive of the members, in their order."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()
