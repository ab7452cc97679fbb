"""From an exported model and held-out recordings to clips with verdicts and pictures."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from components.clip_review.generation import Generator, Request
from components.clip_review.pictures import data_uri, outline, spectrogram_png
from components.clip_review.recognizer import Heard, Recognizer
from components.clip_review.recordings import HeldOut, Recording, read_held_out
from components.clip_review.result import Clip, ClipReviewResult, LabelShares, share_of, summed
from components.clip_review.settings import ClipReviewSettings
from components.clip_review.wav import wav_bytes

CLIPS_FOLDER = "clips"
# Held-out recordings that the recognizer hears; enough to know its ceiling to a few hundredths.
_MOST_REAL = 200
_UNSAFE = re.compile(r"[^\w-]+")


class _Sound(NamedTuple):
    """A clip or a recording, with the request that it answers and the verdict, where there are."""

    recording: Recording
    request: Request | None
    heard: Heard | None

    @property
    def recognized(self) -> bool | None:
        label = self.recording.label
        return self.heard.label == label if self.heard and label else None


def review(
    model: Path,
    examples: Path,
    settings: ClipReviewSettings,
    recognizer: Path | None,
    on_progress: Callable[[int, int], None],
) -> ClipReviewResult:
    """Has clips generated, judged and drawn.

    1. Reads the held-out recordings.
    2. Generates the clips.
    3. Lets the recognizer hear the clips and the recordings.
    4. Draws the clips, and of each label one recording.

    Args:
        model: folder of the SavedModel.
        examples: folder of the raw held-out examples.
        settings: of the clips.
        recognizer: folder of the recognizer's SavedModel; None: nobody listens.
        on_progress: is told how many clips are done, and how many there will be.

    Raises:
        EvaluationError: the recognizer does not fit, or nothing says how long the clips should be.
    """
    # The training may hold all memory of the GPU, and the server will generate on the processor too.
    with tf.device("/CPU:0"):
        generator = Generator(model)
        # Before the clips, which take the time.
        judge = _fitting_judge(recognizer, generator)
        labels = generator.labels or [""]
        most = max(_MOST_REAL // len(labels), settings.per_label if generator.copies else 1)
        held_out = read_held_out(examples, generator.group_of, most)
        requests = generator.plan(settings, held_out)
        clips = generator.generate(requests, settings.temperature, lambda done: on_progress(done, len(requests)))
        generated = _heard([Recording(r.label, r.speaker, c) for r, c in zip(requests, clips, strict=True)], judge)
        sounds = [one._replace(request=request) for one, request in zip(generated, requests, strict=True)]
        real = {label: _heard(held_out.groups.get(label, []), judge) for label in labels}
        shown = list(_shown(labels, sounds, real))
        drawn = _draw(shown, generator, settings.temperature)
    by_label = {
        label: LabelShares(
            generated=share_of(one.recognized for one in sounds if one.request and one.request.label == label),
            real=share_of(one.recognized for one in real[label]),
        )
        for label in labels
    }
    return ClipReviewResult(
        model=generator.name,
        sample_rate=generator.sample_rate,
        recognizer=judge.name if judge else None,
        recognized=summed(one.generated for one in by_label.values()).share,
        recognized_real=summed(one.real for one in by_label.values()).share,
        min_recognized=settings.min_recognized,
        by_label=by_label,
        clips=drawn,
        notes=_notes(labels, held_out, generator),
    )


def _fitting_judge(recognizer: Path | None, generator: Generator) -> Recognizer | None:
    if recognizer is None:
        return None
    judge = Recognizer(recognizer)
    judge.check_fits(generator.sample_rate, generator.labels)
    return judge


def _heard(recordings: Sequence[Recording], judge: Recognizer | None) -> list[_Sound]:
    verdicts = judge.hear([one.samples for one in recordings]) if judge else [None] * len(recordings)
    return [_Sound(recording, None, heard) for recording, heard in zip(recordings, verdicts, strict=True)]


def _shown(labels: Sequence[str], generated: Sequence[_Sound], real: dict[str, list[_Sound]]) -> Iterator[_Sound]:
    """Label by label: a recording, of the first clip's speaker where there is one, then the clips."""
    for label in labels:
        clips = [one for one in generated if one.request and one.request.label == label]
        speaker = clips[0].recording.speaker if clips else ""
        recordings = sorted(real[label], key=lambda one: one.recording.speaker != speaker)
        yield from [*recordings[:1], *clips]


def _draw(sounds: Sequence[_Sound], generator: Generator, temperature: float) -> list[Clip]:
    names, bits = _file_names(sounds), generator.score([one.recording for one in sounds])
    return [
        _clip(sound, name, score, generator.sample_rate, temperature)
        for sound, name, score in zip(sounds, names, bits, strict=True)
    ]


def _clip(sound: _Sound, name: str, bits: float, sample_rate: int, temperature: float) -> Clip:
    recording, request, heard = sound
    low, high = outline(recording.samples)
    return Clip(
        label=recording.label,
        speaker=recording.speaker,
        real=request is None,
        seed=request.seed if request else None,
        temperature=temperature if request else None,
        num_samples=len(recording.samples),
        file=f"{CLIPS_FOLDER}/{name}.wav",
        heard=heard.label if heard else None,
        heard_probability=heard.probability if heard else None,
        bits_per_sample=bits,
        wav=data_uri(wav_bytes(recording.samples, sample_rate), "audio/wav"),
        waveform_low=low,
        waveform_high=high,
        spectrogram=data_uri(spectrogram_png(recording.samples, sample_rate), "image/png"),
    )


def _file_names(sounds: Sequence[_Sound]) -> list[str]:
    """LABEL_SPEAKER_SEED, in characters that every file system takes, each name once."""
    names: list[str] = []
    count: Counter[str] = Counter()
    for recording, request, _ in sounds:
        parts = [recording.label, recording.speaker, str(request.seed) if request else "real"]
        name = "_".join(_UNSAFE.sub("-", part)[:30] for part in parts if part)
        count[name] += 1
        names.append(name if count[name] == 1 else f"{name}_{count[name]}")
    return names


def _notes(labels: Sequence[str], held_out: HeldOut, generator: Generator) -> list[str]:
    result = "no clip, since the model speaks recordings again" if generator.copies else "nothing to compare with"
    return [
        f"{f'label {label}: ' if label else ''}no held-out recording; {result}"
        for label in labels
        if not held_out.groups.get(label)
    ]
