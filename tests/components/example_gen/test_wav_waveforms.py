import numpy as np
import pytest

from components.example_gen.records import Unusable
from components.example_gen.waveforms import clipped_fraction, conform, set_loudness, trim_silence
from models.audio_settings import AudioSettings
from tests.components.example_gen.recordings import RATE, tone


def level_db(waveform):
    return 10 * np.log10(np.mean(np.square(waveform)))


@pytest.mark.parametrize(
    ("samples", "fraction"),
    [
        ([1, 1, 1, 0, 0, 0], 1 / 2),
        ([1, 1, 0, 1, 1, 0], 0),
        ([1, 1, -1, -1, 1, 1], 0),
        ([-1, -1, -1, -1, 0, 0], 2 / 3),
        ([0.8, 0.8, 0.8, 0.8, 0.8, 0.8], 0),
        ([1, 1], 0),
    ],
)
def test_only_runs_of_one_sign_at_full_scale_are_clipped(samples, fraction):
    samples = np.array(samples, np.float32)[:, np.newaxis]
    assert clipped_fraction(samples, 0.9) == pytest.approx(fraction)
    both = np.concatenate([samples, 0 * samples], axis=1)
    assert clipped_fraction(both, 0.9) == pytest.approx(fraction / 2)


def test_silence_is_cut_at_the_ends_only():
    quiet = np.full(240, 0.0005, np.float32)  # 60 dB below the tone's peak, three frames of 10 ms
    loud = tone(0.05).astype(np.float32)
    waveform = np.concatenate([quiet, loud, quiet, loud, quiet, quiet[:30]])
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 40), waveform[240:1280])
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 40, "start"), waveform[240:])
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 40, "end"), waveform[:1280])
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 80), waveform)
    np.testing.assert_array_equal(trim_silence(0 * waveform, RATE, 40), 0 * waveform)
    assert trim_silence(waveform[:0], RATE, 40).shape == (0,)


def test_a_short_last_frame_counts_by_its_mean():
    waveform = np.concatenate([np.zeros(160), tone(0.01), np.full(20, 0.5)]).astype(np.float32)
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 20), waveform[160:])
    # The tail has twice the tone's power, in a quarter of its length.
    np.testing.assert_array_equal(trim_silence(waveform, RATE, 2), waveform[240:])


def test_loudness_is_reached_where_the_peak_allows_it():
    waveform = tone(peak=0.1).astype(np.float32)
    louder = set_loudness(waveform, -20)
    assert louder.dtype == np.float32
    assert level_db(louder) == pytest.approx(-20, abs=0.01)
    assert level_db(set_loudness(waveform, -40)) == pytest.approx(-40, abs=0.01)
    click = np.concatenate([waveform, [0.5]]).astype(np.float32)
    assert np.abs(set_loudness(click, 0)).max() == 1.0
    with pytest.raises(Unusable, match="silent throughout"):
        set_loudness(0 * waveform, -20)


def test_lengths_are_judged_after_trimming():
    samples = np.concatenate([np.zeros(4000), tone(0.04), np.zeros(4000)]).astype(np.float32)[:, np.newaxis]
    assert len(conform(samples, RATE, 1.0, AudioSettings(sample_rate=RATE))) == 8320
    with pytest.raises(Unusable, match="too short: 0.040 s after trimming; audio.min_seconds is 0.05"):
        conform(samples, RATE, 1.0, AudioSettings(sample_rate=RATE, trim_silence_db=40))
    trimmed = AudioSettings(sample_rate=RATE, trim_silence_db=40, min_seconds=0, max_seconds=0.05)
    assert len(conform(samples, RATE, 1.0, trimmed)) == 320
    at_start = AudioSettings(sample_rate=RATE, trim_silence_db=40, trim_silence_at="start")
    assert len(conform(samples, RATE, 1.0, at_start)) == 4320


def test_resampling_never_leaves_the_range():
    square = np.sign(tone(0.5, 11025, 300))[:, np.newaxis].astype(np.float32)
    audio = AudioSettings(sample_rate=RATE, max_clipped_fraction=1.0)
    assert np.abs(conform(square, 11025, 1.0, audio)).max() == 1.0
