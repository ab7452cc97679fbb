import io
import wave

import numpy as np
import pytest
import tensorflow as tf

from components.review.clips.pictures import colours, outline, spectrogram_png
from components.review.clips.wav import wav_bytes
from components.review.data_uri import data_uri, from_data_uri


def test_an_outline_is_least_and_greatest_of_each_stretch():
    assert outline(np.array([0.1, -0.5, 0.25, 0.75]), columns=2) == ([-0.5, 0.25], [0.1, 0.75])
    low, high = outline(np.arange(10) / 10, columns=3)
    assert (low, high) == ([0.0, 0.3, 0.6], [0.2, 0.5, 0.9])
    assert outline(np.array([0.5]), columns=200) == ([0.5], [0.5])


def test_a_wav_file_holds_the_samples_and_clips_what_is_too_loud():
    with wave.open(io.BytesIO(wav_bytes(np.array([0.0, 0.5, 1.0, -1.0, 7.0]), 8000))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 8000, 5)
        assert np.frombuffer(file.readframes(5), "<i2").tolist() == [0, 16384, 32767, -32767, 32767]


def test_a_data_uri_gives_its_content_back():
    assert data_uri(b"\x00\xff", "image/png") == "data:image/png;base64,AP8="
    assert from_data_uri("data:image/png;base64,AP8=") == b"\x00\xff"


def test_each_colour_is_lighter_than_the_one_before():
    table = colours().astype(float)
    assert (table[0].tolist(), table[-1].tolist()) == ([0, 0, 0], [255, 255, 255])
    # CIE luminance of linear light.
    linear = np.where(table / 255 <= 0.04045, table / 255 / 12.92, ((table / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert np.all(np.diff(luminance[::4]) > 0)


@pytest.mark.parametrize("hertz", [500, 1000, 3500])
def test_a_tone_is_a_bright_line_at_its_frequency(hertz):
    audio = 0.5 * np.sin(2 * np.pi * hertz * np.arange(8000) / 8000)
    image = tf.io.decode_png(spectrogram_png(audio, 8000)).numpy()
    assert image.shape == (128, 160, 3)
    brightest = np.argmax(image[:, 80].astype(int).sum(axis=1))
    assert brightest == pytest.approx(128 * (1 - hertz / 4000), abs=2)


def test_loudness_has_one_scale_for_all_clips():
    audio = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    loud, soft, silent = (
        tf.io.decode_png(spectrogram_png(factor * audio, 8000)).numpy().astype(int).sum() for factor in (1, 0.01, 0)
    )
    assert loud > soft > silent == 0


@pytest.mark.parametrize("length", [1, 5, 700_000])
def test_very_short_and_long_clips_have_a_picture_of_bounded_size(length):
    image = tf.io.decode_png(spectrogram_png(np.random.default_rng(1).uniform(-1, 1, length), 16_000)).numpy()
    assert 1 <= image.shape[1] <= 160 and image.shape[0] == 128
