"""Noise that is added to spectra in training.

B: batch, F: frames, M: mel bins.
"""

import math

import keras
from keras import ops

# Decibels in a factor of e of magnitude, the unit of logarithmic spectra.
_DECIBELS = 20 / math.log(10)
_RANGE_DB = 40.0
# Of the noise, in units of that factor: how much higher it may stand in the last bin than in the first (white noise
# gains 1.5 in mel bins, for they grow wider), and its scatter from cell to cell.
_TILT = (-1.0, 3.0)
_SCATTER = 0.4


class NoiseFloor(keras.layers.Layer):
    """Lets a clip's logarithmic spectrum rise out of noise, whose height and colour are drawn anew each time.

    One who learned from clean recordings alone takes any hiss for an "s". The noise adds to the power of a cell, as
    noise that has nothing to do with the sound does. Without effect outside training.

    Args:
        snr_db: least distance of the noise below the mean magnitude of the clip, in decibels; distances are drawn
            evenly from there to 40 dB more.
    """

    def __init__(self, snr_db: float, name: str | None = None):
        super().__init__(name=name)
        self.snr_db = snr_db
        self.seed_generator = keras.random.SeedGenerator()

    def call(
        self, frames: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool | None = None
    ) -> keras.KerasTensor:
        """Float (B, F, M), natural logarithms of magnitudes, and bool (B, F), True = real; padding stays as it is."""
        if not training:
            return frames
        rows, bins = ops.shape(frames)[0], frames.shape[-1]
        real = ops.expand_dims(padding_mask, -1)
        magnitudes = ops.where(real, ops.exp(frames), 0.0)
        count = ops.maximum(ops.sum(ops.cast(real, frames.dtype), (1, 2), keepdims=True), 1.0) * bins
        level = ops.log(ops.sum(magnitudes, (1, 2), keepdims=True) / count + 1e-9)
        distance = self._uniform(rows, self.snr_db, self.snr_db + _RANGE_DB) / _DECIBELS
        colour = self._uniform(rows, *_TILT) * ops.linspace(-0.5, 0.5, bins)
        scatter = _SCATTER * keras.random.normal(ops.shape(frames), seed=self.seed_generator)
        noise = level - distance + colour + scatter
        return ops.where(real, ops.logaddexp(2 * frames, 2 * noise) / 2, frames)

    def _uniform(self, rows: int, low: float, high: float) -> keras.KerasTensor:
        return keras.random.uniform((rows, 1, 1), low, high, seed=self.seed_generator)
