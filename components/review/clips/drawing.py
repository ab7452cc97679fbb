"""Judged clips and recordings as samples of a review."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from components.review.clips.generation import Generator, Request
from components.review.clips.pictures import outline, spectrogram_png
from components.review.clips.recognizer import Heard
from components.review.clips.recordings import Recording
from components.review.clips.wav import wav_bytes
from components.review.data_uri import data_uri
from components.review.result import Medium, Outline, Picture, Sample, Sound

_UNSAFE = re.compile(r"[^\w-]+")


class Judged(NamedTuple):
    """A clip or a recording, with the request that it answers and what was heard, where there are."""

    label: str
    recording: Recording
    request: Request | None
    heard: Heard | None

    @property
    def right(self) -> bool | None:
        """Whether it was heard as what it is; None where nobody listened or nothing decides that."""
        return self.heard.label == self.label if self.heard and self.label else None


def draw(shown: Sequence[tuple[str, Judged]], generator: Generator, temperature: float) -> list[Sample]:
    """What the page shows of clips and recordings, each with its group; the clips were made at the temperature."""
    names = _file_names([one for _, one in shown])
    bits = generator.score([one.recording for _, one in shown])
    return [
        _sample(group, one, name, {"bits_per_sample": score}, generator.sample_rate, temperature)
        for (group, one), name, score in zip(shown, names, bits, strict=True)
    ]


def _sample(
    group: str, one: Judged, file_name: str, measured: dict[str, float], sample_rate: int, temperature: float
) -> Sample:
    label, recording, request, heard = one
    title = f"Clip {request.seed}" if request else "Recording"
    name = ", ".join(part for part in (title, *recording.values.values()) if part)
    drawn: dict[str, int | float] = {"seed": request.seed, "temperature": temperature} if request else {}
    return Sample(
        title=title,
        group=group,
        held_out=request is None,
        asked=recording.values,
        expected=label,
        answer=heard.label if heard else None,
        certainty=heard.probability if heard else None,
        facts={**drawn, "num_samples": len(recording.samples), **measured},
        media=draw_media(name, recording.samples, sample_rate, f"clips/{file_name}.wav"),
    )


def draw_media(name: str, samples: np.ndarray, sample_rate: int, file: str) -> list[Medium]:
    """What is seen and heard of float samples (N,), which are called `name` for those who do not see."""
    low, high = outline(samples)
    seconds = len(samples) / sample_rate
    spectrogram = data_uri(spectrogram_png(samples, sample_rate), "image/png")
    return [
        Outline(text=f"Waveform of {name}, {seconds:.2f} seconds", low=low, high=high),
        Picture(text=f"Spectrogram of {name}, 0 to {sample_rate // 2} Hz", content=spectrogram),
        Sound(text=f"Play {name}", content=data_uri(wav_bytes(samples, sample_rate), "audio/wav"), file=file),
    ]


def _file_names(heard: Sequence[Judged]) -> list[str]:
    """LABEL_SPEAKER_SEED, in characters that every file system takes, each name once."""
    names: list[str] = []
    count: Counter[str] = Counter()
    for _, recording, request, _ in heard:
        parts = [*recording.values.values(), str(request.seed) if request else "real"]
        name = "_".join(_UNSAFE.sub("-", part)[:30] for part in parts if part)
        count[name] += 1
        names.append(name if count[name] == 1 else f"{name}_{count[name]}")
    return names
