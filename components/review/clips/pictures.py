"""Clips as outlines and images, ready to stand on a page.

N: samples, F: frames, K: frequencies, C: columns.
"""

import numpy as np
import tensorflow as tf

_COLUMNS, _ROWS = 160, 128
_FRAME_SECONDS = 0.032
# What is drawn of a spectrogram, in decibels relative to a sine at full scale.
_FLOOR_DB, _CEILING_DB = -75.0, -10.0


def outline(samples: np.ndarray, columns: int = 200) -> tuple[list[float], list[float]]:
    """Least and greatest value of float samples (N,) in each of at most `columns` stretches of time."""
    starts = _starts(len(samples), columns)
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    return [round(float(value), 3) for value in low], [round(float(value), 3) for value in high]


def spectrogram_png(samples: np.ndarray, sample_rate: int) -> bytes:
    """Time from left to right, frequency from 0 up to half the rate, loudness as brightness.

    The scale is the same for all clips, so that two of them can be compared.

    Args:
        samples: float (N,).
        sample_rate: in hertz.
    """
    decibels = _log_magnitudes(samples, sample_rate)  # (F, K)
    for axis, most in ((0, _COLUMNS), (1, _ROWS)):
        decibels = np.maximum.reduceat(decibels, _starts(decibels.shape[axis], most), axis=axis)
    level = np.clip((decibels - _FLOOR_DB) / (_CEILING_DB - _FLOOR_DB), 0, 1)
    image = colours()[np.round(level.T[::-1] * 255).astype(int)]  # (K, F, 3), low frequencies at the bottom
    return tf.io.encode_png(tf.constant(image)).numpy()


def _log_magnitudes(samples: np.ndarray, sample_rate: int) -> np.ndarray:
    # A power of two, so that the frequencies fill the transform.
    length = 2 ** round(np.log2(max(_FRAME_SECONDS * sample_rate, 2)))
    step = min(max(len(samples) // _COLUMNS, 1), length // 4)
    spectrum = tf.signal.stft(tf.constant(samples, tf.float32), length, step, pad_end=True).numpy()
    # A sine at full scale comes out as a quarter of the frame: half of it by the window, half by the two sides.
    return 20 * np.log10(np.abs(spectrum) / (length / 4) + 1e-7)


def _starts(length: int, most: int) -> np.ndarray:
    """Beginnings of at most `most` stretches, of nearly one size, that together make `length`."""
    count = min(length, most)
    return np.arange(count) * length // count


def colours() -> np.ndarray:
    """256 colours, uint8 (256, 3), from black to white, each lighter than the one before: cubehelix (Green, 2011)."""
    brightness = np.linspace(0, 1, 256)
    angle = 2 * np.pi * (0.5 / 3 + 1 - 1.5 * brightness)
    swing = brightness * (1 - brightness) / 2
    # Eq. 2: a helix around the grey diagonal, in a plane of equal perceived brightness.
    plane = np.array([[-0.14861, 1.78277], [-0.29227, -0.90649], [1.97294, 0.0]])
    colour = brightness + swing * (plane @ np.stack([np.cos(angle), np.sin(angle)]))
    return np.round(np.clip(colour, 0, 1).T * 255).astype(np.uint8)
