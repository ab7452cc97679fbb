"""Brings a recording to the form that `AudioSettings` asks for. Plain NumPy.

N: samples, C: channels.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import soxr

from components.example_gen.records import Unusable
from models.audio_settings import AudioSettings

Waveform = npt.NDArray[np.float32]

_FRAMES_PER_SECOND = 100
# Below what 16 bits can tell from zero by more than dither.
_SILENT = 2.0**-14


def conform(samples: Waveform, rate: int, full_scale: float, audio: AudioSettings) -> Waveform:
    """Turns what was recorded into what is learned.

    1. refuses clipped recordings, before anything can hide it
    2. mixes the channels down
    3. resamples
    4. cuts silence at both ends
    5. sets the loudness
    6. refuses what is too short or too long

    Args:
        samples: (N, C).
        rate: in hertz.
        full_scale: the largest value that the recording's sample format can hold.
        audio: the audio section.

    Returns:
        (N',), in [-1, 1], at `audio.sample_rate`.

    Raises:
        Unusable: with the reason.
    """
    if not np.isfinite(samples).all():
        raise Unusable("it holds samples that are not finite numbers")
    clipped = clipped_fraction(samples, full_scale)
    if clipped > audio.max_clipped_fraction:
        raise Unusable(
            f"clipped: {clipped:.2%} of its samples stand at full scale; audio.max_clipped_fraction allows "
            f"{audio.max_clipped_fraction:.2%}"
        )
    waveform = samples.mean(axis=1)
    if rate != audio.sample_rate:
        waveform = _resampled(waveform, rate, audio)
    waveform = np.clip(waveform, -1.0, 1.0)
    if audio.trim_silence_db is not None:
        waveform = trim_silence(waveform, audio.sample_rate, audio.trim_silence_db, audio.trim_silence_at)
    if audio.loudness_db is not None:
        waveform = set_loudness(waveform, audio.loudness_db)
    _check_length(waveform, audio)
    return waveform


def remarks_on(samples: Waveform, waveform: Waveform) -> tuple[str, ...]:
    """What a person would want to hear of a recording, (N, C), that has become (N',): nothing is heard in it."""
    if np.abs(waveform).max(initial=0.0) > _SILENT:
        return ()
    if np.abs(samples).max(initial=0.0) > _SILENT:
        return ("the channels cancel out when they are mixed down, and nothing is left",)
    return ("silent throughout",)


def clipped_fraction(samples: Waveform, full_scale: float) -> float:
    """Returns the share of samples, (N, C), that stand at full scale in runs of three or more of one sign."""
    if len(samples) < 3:
        return 0.0
    level = np.sign(samples) * (np.abs(samples) >= full_scale)
    runs = (level[2:] != 0) & (level[2:] == level[1:-1]) & (level[1:-1] == level[:-2])
    clipped = np.zeros(samples.shape, bool)
    for start in range(3):
        clipped[start : start + len(runs)] |= runs
    return float(clipped.mean())


def trim_silence(
    waveform: Waveform, rate: int, threshold_db: float, where: Literal["both", "start", "end"] = "both"
) -> Waveform:
    """Cuts the ends of (N,) up to the first and last 10 ms whose power is within `threshold_db` of the loudest."""
    size = max(rate // _FRAMES_PER_SECOND, 1)
    starts = np.arange(0, len(waveform), size)
    if not len(starts):
        return waveform
    lengths = np.diff(np.append(starts, len(waveform)))
    power = np.add.reduceat(np.square(waveform, dtype=np.float64), starts) / lengths
    loud = np.flatnonzero(power >= power.max() * 10 ** (-threshold_db / 10))
    first = 0 if where == "end" else starts[loud[0]]
    last = len(waveform) if where == "start" else starts[loud[-1]] + size
    return waveform[first:last]


def set_loudness(waveform: Waveform, loudness_db: float) -> Waveform:
    """Scales (N,) so that its RMS is `loudness_db` relative to full scale, less where the peak would pass it.

    Raises:
        Unusable: for digital silence, which no factor makes louder.
    """
    peak = np.abs(waveform).max(initial=0.0)
    if not peak:
        raise Unusable("silent throughout; it cannot be brought to audio.loudness_db")
    rms = np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))
    # Divided by the peak first: the loudest sample then comes out as exactly 1 at most, not one rounding above.
    return waveform / peak * np.float32(min(10 ** (loudness_db / 20) * peak / rms, 1.0))


def _resampled(waveform: Waveform, rate: int, audio: AudioSettings) -> Waveform:
    if not audio.resample:
        raise Unusable(f"its rate is {rate} Hz; audio.sample_rate is {audio.sample_rate} and audio.resample is off")
    return soxr.resample(waveform, rate, audio.sample_rate)


def _check_length(waveform: Waveform, audio: AudioSettings) -> None:
    seconds = len(waveform) / audio.sample_rate
    trimmed = "" if audio.trim_silence_db is None else " after trimming"
    if not len(waveform) or seconds < audio.min_seconds:
        raise Unusable(f"too short: {seconds:.3f} s{trimmed}; audio.min_seconds is {audio.min_seconds}")
    if audio.max_seconds is not None and seconds > audio.max_seconds:
        raise Unusable(f"too long: {seconds:.3f} s{trimmed}; audio.max_seconds is {audio.max_seconds}")
