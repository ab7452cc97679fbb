import keras
import numpy as np
import pytest

from models.layers.noise import NoiseFloor

BINS = 40
# 20 dB of magnitude.
TENFOLD = np.log(10.0)


def clips(*lengths: int, level: float = 0.0, longest: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Half of the bins at `level`, the others silent; behind a clip's end something loud, which is not real."""
    frames = np.full((len(lengths), longest, BINS), 9.0, "float32")
    mask = np.arange(longest) < np.array(lengths)[:, None]
    for row, length in enumerate(lengths):
        frames[row, :length, ::2] = level
        frames[row, :length, 1::2] = -11.0
    return frames, mask


def noisy(snr_db: float, frames: np.ndarray, mask: np.ndarray, seed: int = 1) -> np.ndarray:
    keras.utils.set_random_seed(seed)
    return np.asarray(NoiseFloor(snr_db)(frames, mask, training=True))


def test_nothing_changes_outside_training():
    frames, mask = clips(200, 100)
    np.testing.assert_array_equal(NoiseFloor(0.0)(frames, mask), frames)


@pytest.mark.parametrize("level", [0.0, -3.0])
def test_the_noise_lies_below_the_clip_by_what_was_drawn(level):
    frames, mask = clips(*[200] * 64, level=level)
    heard = noisy(20.0, frames, mask)
    # The mean magnitude of the clip is half of what its loud bins have; the noise shows where it was silent.
    below = level - np.log(2) - heard[:, :, 1::2].mean((1, 2))
    assert 0.9 * TENFOLD < below.min() < 1.4 * TENFOLD and 2.6 * TENFOLD < below.max() < 3.1 * TENFOLD
    assert len(set(below.round(4))) == 64, "each clip has its own"
    np.testing.assert_allclose(heard[:, :, ::2], level, atol=0.15)


def test_powers_add_up():
    frames, mask = clips(*[200] * 64)
    heard = noisy(-5.0, np.zeros_like(frames), mask)
    assert heard.min() >= 0, "noise only ever adds"
    # 5 dB above the clip, with the scatter and the tilt that it has.
    assert 0.5 * np.log(1 + 10**0.5) < heard.max() < 0.5 * np.log(1 + 10**0.5) + 3.5


def test_padding_has_no_say_and_stays():
    frames, mask = clips(200, 50)
    heard = noisy(10.0, frames, mask)
    np.testing.assert_array_equal(heard[~mask], frames[~mask])
    quieter = frames.copy()
    quieter[~mask] = -9.0
    np.testing.assert_allclose(noisy(10.0, quieter, mask)[mask], heard[mask], atol=1e-5)


def test_the_colour_differs_from_clip_to_clip():
    frames, mask = clips(*[200] * 64)
    frames[:, :, np.arange(BINS) != 20] = -11.0
    heard = noisy(-30.0, frames, mask)
    tilts = heard[:, :, -1].mean(1) - heard[:, :, 0].mean(1)
    assert -1.2 < tilts.min() < -0.5 and 2.5 < tilts.max() < 3.2


def test_the_same_seed_gives_the_same_noise():
    frames, mask = clips(200, 100)
    np.testing.assert_array_equal(noisy(10.0, frames, mask), noisy(10.0, frames, mask))
    assert not np.allclose(noisy(10.0, frames, mask), noisy(10.0, frames, mask, seed=2))


def test_an_empty_clip_stays_finite():
    frames, mask = clips(0, 3)
    assert np.isfinite(noisy(0.0, frames, mask)).all()
