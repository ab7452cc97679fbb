"""From an exported model and held-out recordings to clips with verdicts and pictures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from components.review.clips.drawing import Judged, draw
from components.review.clips.generation import Generator
from components.review.clips.recognizer import Recognizer
from components.review.clips.recordings import HeldOut, Recording, read_held_out
from components.review.result import ReviewResult, Share
from components.review.settings import ClipReviewSettings

# What was judged, as the page calls it.
CLIPS, RECORDINGS = "clips", "recordings"
# Held-out recordings that the recognizer hears; enough to know its ceiling to a few hundredths.
_MOST_RECORDINGS = 200


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
        samples = draw(list(_shown(labels, made, recordings, generator)), generator, settings.temperature)
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


def _heard(recordings: Sequence[Recording], recognizer: Recognizer | None, generator: Generator) -> list[Judged]:
    verdicts = recognizer.hear([one.samples for one in recordings]) if recognizer else [None] * len(recordings)
    return [
        Judged(recording.values[generator.label_key], recording, None, heard)
        for recording, heard in zip(recordings, verdicts, strict=True)
    ]


def _share(heard: Iterable[Judged]) -> Share:
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
    labels: Sequence[str], made: Sequence[Judged], recordings: dict[str, list[Judged]], generator: Generator
) -> Iterator[tuple[str, Judged]]:
    """Label by label: the recording most like the first clip in all else, such as the speaker, then the clips."""
    others = [name for name in generator.label_features if name != generator.label_key]
    for label in labels:
        clips = [one for one in made if one.label == label]
        wanted = clips[0].recording.values if clips else dict.fromkeys(others, "")
        nearest = sorted(
            recordings[label], key=lambda one: sum(one.recording.values[name] != wanted[name] for name in others)
        )
        yield from ((label, one) for one in [*nearest[:1], *clips])


def _notes(labels: Sequence[str], held_out: HeldOut, generator: Generator) -> list[str]:
    result = "no clip, since the model speaks recordings again" if generator.revoices else "nothing to compare with"
    return [
        f"{f'label {label}: ' if label else ''}no held-out recording; {result}"
        for label in labels
        if not held_out.groups.get(label)
    ]
