"""Companding against its closed formula, spectra against pure tones."""

import numpy as np
import pytest
import tensorflow as tf

from models.audio import SILENCE_ID, log_mel, mu_law_decode, mu_law_encode

RATE, STEP, BINS = 8000, 80, 40


def companded(audio: np.ndarray) -> np.ndarray:
    return np.sign(audio) * np.log(1 + 255 * np.abs(audio)) / np.log(256)


def expanded(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * (256 ** np.abs(values) - 1) / 255


@tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32)])
def log_mel_in_the_graph(audio):
    return log_mel(audio, RATE, BINS, STEP)


def spectrum(audio: np.ndarray) -> np.ndarray:
    return log_mel_in_the_graph(audio[np.newaxis].astype("float32")).numpy()[0]


# === Companding ===


def test_levels_are_what_the_closed_formula_says():
    audio = np.random.default_rng(1).uniform(-1, 1, (4, 250))
    levels = mu_law_encode(tf.constant(audio))
    assert levels.dtype == tf.int32
    np.testing.assert_array_equal(levels, np.clip(np.round(128 * companded(audio)) + 128, 0, 255))
    every = np.arange(256)
    decoded = mu_law_decode(tf.constant(every))
    assert decoded.dtype == tf.float32
    np.testing.assert_allclose(decoded, expanded((every - 128) / 128), atol=1e-6)


@pytest.mark.parametrize("offset", [-0.49, 0.49])
def test_every_level_gathers_what_lies_within_half_a_step(offset):
    every = np.arange(256)
    np.testing.assert_array_equal(mu_law_encode(tf.constant(expanded((every - 128 + offset) / 128))), every)


def test_a_sample_comes_back_within_half_a_step_of_its_own_size():
    rng = np.random.default_rng(2)
    # Of every size, from a ten-millionth to the middle between the last level and the one that there is no room for.
    sizes = np.concatenate([10 ** rng.uniform(-7, -1, 5000), rng.uniform(0.1, expanded(127.5 / 128), 5000)])
    audio = sizes * rng.choice([-1, 1], sizes.size)
    error = np.abs(mu_law_decode(mu_law_encode(tf.constant(audio))) - audio)
    # Half a step multiplies 1 + 255 |x| by 256 ** (0.5 / 128): 2.2 % of a loud sample, 0.00009 beside silence.
    bound = (256 ** (0.5 / 128) - 1) * (np.abs(audio) + 1 / 255)
    assert (error < bound + 1e-6).all()
    assert (error > 0.9 * bound).any()


def test_silence_has_a_level_of_its_own_and_comes_back_as_zero():
    assert mu_law_encode(tf.constant([0.0, -0.0, 1e-6, -1e-6])).numpy().tolist() == [SILENCE_ID] * 4
    assert SILENCE_ID == 128
    assert mu_law_decode(tf.constant([SILENCE_ID])).numpy().tolist() == [0.0]


def test_what_is_too_loud_is_clipped():
    audio = tf.constant([1.0, 1.0001, 7.0, np.inf, -1.0, -1.0001, -7.0, -np.inf])
    assert mu_law_encode(audio).numpy().tolist() == [255] * 4 + [0] * 4


# === Spectra ===


@pytest.mark.parametrize("band", [6, 20, 35])
def test_a_pure_tone_is_loudest_in_its_own_band(band):
    # Bands are centred evenly on the mel scale, 1127 ln(1 + f / 700), between 20 Hz and half the sample rate.
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + RATE / 2 / 700), BINS + 2)
    hertz = 700 * (np.exp(edges[band + 1] / 1127) - 1)
    frames = spectrum(0.5 * np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE))
    # The last three frames see the silence behind the end.
    assert set(frames[:-3].argmax(axis=1)) == {band}


@pytest.mark.parametrize(("num_samples", "num_frames"), [(0, 0), (1, 1), (79, 1), (80, 1), (81, 2), (400, 5), (401, 6)])
def test_there_is_a_frame_for_every_step_begun(num_samples, num_frames):
    assert spectrum(np.ones(num_samples)).shape == (num_frames, BINS)


def test_a_frame_sees_four_steps_from_its_own_beginning():
    audio = np.random.default_rng(3).uniform(-1, 1, 10 * STEP)
    frames = spectrum(audio)
    # Frame 3 sees the samples of the steps 3 to 6.
    before, behind = audio.copy(), audio.copy()
    before[: 3 * STEP] = 0
    behind[7 * STEP :] = 0
    changed = np.abs(spectrum(before) - frames).max(axis=1) > 1e-5
    assert changed.tolist() == [True] * 3 + [False] * 7
    changed = np.abs(spectrum(behind) - frames).max(axis=1) > 1e-5
    assert changed.tolist() == [False] * 4 + [True] * 6


def test_behind_the_end_is_silence():
    audio = np.random.default_rng(4).uniform(-1, 1, 250)
    np.testing.assert_allclose(spectrum(np.pad(audio, (0, 500)))[:4], spectrum(audio), atol=1e-5)


def test_silence_is_finite_and_the_lowest_of_all():
    silence = spectrum(np.zeros(RATE))
    np.testing.assert_allclose(silence, np.log(1e-5), rtol=1e-6)
    assert (spectrum(np.random.default_rng(5).uniform(-1, 1, RATE)) > silence).all()
