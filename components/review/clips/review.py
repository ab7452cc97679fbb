"""From an exported model and held-out recordings to clips with verdicts and pictures."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from components.review.clips.generation import Generator, Request
from components.review.clips.pictures import outline, spectrogram_png
from components.review.clips.recognizer import Heard, Recognizer
from components.review.clips.recordings import HeldOut, Recording, read_held_out
from components.review.clips.wav import wav_bytes
from components.review.data_uri import data_uri
from components.review.result import Medium, Outline, Picture, ReviewResult, Sample, Share, Sound
from components.review.settings import ClipReviewSettings

# What was judged, as the page calls it.
CLIPS, RECORDINGS = "clips", "recordings"
# Held-out recordings that the recognizer hears; enough to know its ceiling to a few hundredths.
_MOST_RECORDINGS = 200
_UNSAFE = re.compile(r"[^\w-]+")


class _Heard(NamedTuple):
    """A clip or a recording, with the request that it answers and what was heard, where there are."""

    label: str
    recording: Recording
    request: Request | None
    heard: Heard | None

    @property
    def right(self) -> bool | None:
        return self.heard.label == self.label if self.heard and self.label else None


def review(
    model: Path,
    examples: Path,
    settings: ClipReviewSettings,
    judge: Path | None,
    on_progress: Callable[[int, int], None],
) -> ReviewResult:
    """Has clips generated, judged and drawn; arguments as of `components.review.catalogue.MakeReview`.

    1. Reads the held-out recordings.
    2. Generates the clips.
    3. Lets the recognizer hear the clips and the recordings.
    4. Draws the clips, and of each label one recording.

    Raises:
        EvaluationError: the recognizer does not fit, or nothing says how long the clips should be.
    """
    # The training may hold all memory of the GPU, and the server will generate on the processor too.
    with tf.device("/CPU:0"):
        generator = Generator(model)
        # Before the clips, which take the time.
        recognizer = _fitting(judge, generator)
        labels = generator.labels or [""]
        most = max(_MOST_RECORDINGS // len(labels), settings.per_label if generator.revoices else 1)
        held_out = read_held_out(examples, generator.label_features, generator.group_of, most)
        requests = generator.plan(settings, held_out)
        clips = generator.generate(requests, settings.temperature, lambda done: on_progress(done, len(requests)))
        made = _heard([Recording(r.values, c) for r, c in zip(requests, clips, strict=True)], recognizer, generator)
        made = [one._replace(request=request) for one, request in zip(made, requests, strict=True)]
        recordings = {label: _heard(held_out.groups.get(label, []), recognizer, generator) for label in labels}
        samples = _draw(list(_shown(labels, made, recordings, generator)), generator, settings.temperature)
    shares = {
        label: {CLIPS: _share(one for one in made if one.label == label), RECORDINGS: _share(recordings[label])}
        for label in labels
    }
    metrics = _metrics(shares)
    return ReviewResult(
        review="clips",
        model=generator.name,
        judge=recognizer.name if recognizer else None,
        metrics=metrics,
        shortfalls=shortfalls(metrics.get("recognized"), settings.min_recognized),
        notes=_notes(labels, held_out, generator),
        facts={"sample_rate": generator.sample_rate},
        shares=shares,
        samples=samples,
    )


def shortfalls(recognized: float | None, least: float | None) -> list[str]:
    """The bound that the share of recognized clips does not keep, as a sentence; empty when it passed."""
    if least is None or (recognized is not None and recognized >= least):
        return []
    measured = "could not be measured" if recognized is None else f"is {recognized:.4g}"
    return [f"clips: recognized {measured}; at least {least:.4g} was asked (clips.min_recognized)"]


def _fitting(judge: Path | None, generator: Generator) -> Recognizer | None:
    if judge is None:
        return None
    recognizer = Recognizer(judge)
    recognizer.check_fits(generator.sample_rate, generator.labels)
    return recognizer


def _heard(recordings: Sequence[Recording], recognizer: Recognizer | None, generator: Generator) -> list[_Heard]:
    verdicts = recognizer.hear([one.samples for one in recordings]) if recognizer else [None] * len(recordings)
    return [
        _Heard(recording.values[generator.label_key], recording, None, heard)
        for recording, heard in zip(recordings, verdicts, strict=True)
    ]


def _share(heard: Iterable[_Heard]) -> Share:
    judged = [one.right for one in heard if one.right is not None]
    return Share(right=sum(judged), judged=len(judged))


def _metrics(shares: dict[str, dict[str, Share]]) -> dict[str, float]:
    """The shares over all labels; that of the recordings is what a perfect generator can reach."""
    metrics = {}
    for name, of in (("recognized", CLIPS), ("recognized_real", RECORDINGS)):
        counted = [group[of] for group in shares.values()]
        total = Share(right=sum(one.right for one in counted), judged=sum(one.judged for one in counted))
        if total.share is not None:
            metrics[name] = total.share
    return metrics


def _shown(
    labels: Sequence[str], made: Sequence[_Heard], recordings: dict[str, list[_Heard]], generator: Generator
) -> Iterator[tuple[str, _Heard]]:
    """Label by label: the recording most like the first clip in all else, such as the speaker, then the clips."""
    others = [name for name in generator.label_features if name != generator.label_key]
    for label in labels:
        clips = [one for one in made if one.label == label]
        wanted = clips[0].recording.values if clips else dict.fromkeys(others, "")
        nearest = sorted(
            recordings[label], key=lambda one: sum(one.recording.values[name] != wanted[name] for name in others)
        )
        yield from ((label, one) for one in [*nearest[:1], *clips])


def _draw(shown: Sequence[tuple[str, _Heard]], generator: Generator, temperature: float) -> list[Sample]:
    names = _file_names([one for _, one in shown])
    bits = generator.score([one.recording for _, one in shown])
    return [
        _sample(group, one, name, {"bits_per_sample": score}, generator.sample_rate, temperature)
        for (group, one), name, score in zip(shown, names, bits, strict=True)
    ]


def _sample(
    group: str, one: _Heard, file_name: str, measured: dict[str, float], sample_rate: int, temperature: float
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


def _file_names(heard: Sequence[_Heard]) -> list[str]:
    """LABEL_SPEAKER_SEED, in characters that every file system takes, each name once."""
    names: list[str] = []
    count: Counter[str] = Counter()
    for _, recording, request, _ in heard:
        parts = [*recording.values.values(), str(request.seed) if request else "real"]
        name = "_".join(_UNSAFE.sub("-", part)[:30] for part in parts if part)
        count[name] += 1
        names.append(name if count[name] == 1 else f"{name}_{count[name]}")
    return names


def _notes(labels: Sequence[str], held_out: HeldOut, generator: Generator) -> list[str]:
    result = "no clip, since the model speaks recordings again" if generator.revoices else "nothing to compare with"
    return [
        f"{f'label {label}: ' if label else ''}no held-out recording; {result}"
        for label in labels
        if not held_out.groups.get(label)
    ]
