"""The `audio` section of the configuration: one form for every clip."""

from typing import Literal

import pydantic

from models.settings import Settings, only_with


class AudioSettings(Settings):
    """How recordings are brought to one form before anything learns from them."""

    sample_rate: int = pydantic.Field(16_000, ge=1_000, le=192_000)
    """Samples a second, in hertz, of all that is learned and generated."""
    resample: bool = True
    """Bring recordings of another rate to sample_rate. False: refuse them."""
    trim_silence_db: float | None = pydantic.Field(None, gt=0)
    """Cut what comes before the first and after the last part less than so many decibels below the clip's loudest.
    Empty: cut nothing."""
    trim_silence_at: Literal["both", "start", "end"] = pydantic.Field(
        "both", json_schema_extra=only_with(trim_silence_db=True)
    )
    """Where to cut. Of a start without silence a model that generates learns to begin at once, of an end with silence
    when to stop."""
    loudness_db: float | None = pydantic.Field(None, le=0)
    """Bring each clip's mean power (RMS) to so many decibels relative to full scale, less where its peaks would clip.
    Empty: leave the loudness alone."""
    max_clipped_fraction: float = pydantic.Field(0.01, ge=0, le=1)
    """Share of a clip's samples that may lie at full scale, in runs of three or more, before the clip is refused."""
    min_seconds: float = pydantic.Field(0.05, ge=0)
    """Shortest clip accepted, after trimming, in seconds."""
    max_seconds: float | None = pydantic.Field(None, gt=0)
    """Longest clip accepted, after trimming, in seconds. Empty: any."""
