"""What a review found: the form of `clips.json`, for the run's summary, the report and other programs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import pydantic

FILE = "clips.json"


class _Record(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Clip(_Record):
    """A clip that was generated, or a held-out recording beside those of its label."""

    label: str
    """What was asked for, or is spoken; empty where nothing decides that."""
    speaker: str
    """Who was asked for, or speaks; empty where nothing decides that."""
    real: bool
    """Whether it is a held-out recording."""
    seed: int | None
    """By which it was generated; null for a recording."""
    temperature: float | None
    """At which it was generated; null for a recording."""
    num_samples: int
    """Its length."""
    file: str
    """The WAV file, relative to the folder of the review."""
    heard: str | None
    """The label that the recognizer hears; null without one."""
    heard_probability: float | None
    """How sure it is, 0 to 1; null without one."""
    bits_per_sample: float | None
    """What the model itself needs for it."""
    wav: str
    """The WAV file as data URI."""
    waveform_low: list[float]
    """Least sample of each stretch of time."""
    waveform_high: list[float]
    """Greatest sample of each stretch of time."""
    spectrogram: str
    """PNG image as data URI: time from left to right, frequency from 0 up to half the rate, loudness as brightness."""

    @property
    def recognized(self) -> bool | None:
        """Whether it was heard as what was asked for; None where nobody listened or nothing was asked for."""
        return None if self.heard is None or not self.label else self.heard == self.label


class Share(_Record):
    """How many clips were heard as what was asked for."""

    recognized: int
    """Those that were."""
    clips: int
    """All of them that were judged."""

    @property
    def share(self) -> float | None:
        """0 to 1; None where none was judged."""
        return self.recognized / self.clips if self.clips else None


class LabelShares(_Record):
    """The shares of one label."""

    generated: Share
    """Of the generated clips."""
    real: Share
    """Of the held-out recordings."""


class ClipReviewResult(_Record):
    """All of `clips.json`."""

    version: Literal[1] = 1
    """Of this form."""
    model: str
    """Name of the model."""
    sample_rate: int
    """Of all clips, in hertz."""
    recognizer: str | None
    """Name and version of the judge; null without one."""
    recognized: float | None
    """Share of the generated clips that were heard as what was asked for, 0 to 1; null where none was judged."""
    recognized_real: float | None
    """The same of the held-out recordings: what a perfect generator can reach."""
    min_recognized: float | None
    """The least `recognized` that was asked; null for none."""
    by_label: dict[str, LabelShares]
    """The shares of each label, in the order of the model's labels."""
    clips: list[Clip]
    """Label by label, the recording first."""
    notes: list[str]
    """What could not be done, one sentence each."""

    @property
    def metrics(self) -> dict[str, float]:
        """The shares that were measured, by name."""
        measured = {"recognized": self.recognized, "recognized_real": self.recognized_real}
        return {name: value for name, value in measured.items() if value is not None}

    @property
    def shortfalls(self) -> list[str]:
        """The bound that the model did not keep, as a sentence; empty when it passed."""
        if self.min_recognized is None or (self.recognized is not None and self.recognized >= self.min_recognized):
            return []
        measured = "could not be measured" if self.recognized is None else f"is {self.recognized:.4g}"
        asked = f"at least {self.min_recognized:.4g} was asked (clips.min_recognized)"
        return [f"clips: recognized {measured}; {asked}"]


def load_review(uri: str) -> ClipReviewResult:
    """Reads a review from its folder."""
    return ClipReviewResult.model_validate_json((Path(uri) / FILE).read_text(encoding="utf-8"))


def share_of(verdicts: Iterable[bool | None]) -> Share:
    """Counts verdicts; None is no verdict."""
    judged = [verdict for verdict in verdicts if verdict is not None]
    return Share(recognized=sum(judged), clips=len(judged))


def summed(shares: Iterable[Share]) -> Share:
    """The share over several labels."""
    found = list(shares)
    return Share(recognized=sum(one.recognized for one in found), clips=sum(one.clips for one in found))
