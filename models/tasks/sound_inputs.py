"""What a decoder of sound reads, made in one place for training and serving.

B: batch, N: samples, F: frames, M: mel bins.
"""

import tensorflow as tf

from models.audio import SILENCE_ID, log_mel
from models.run_settings import RunSettings


def shifted_right(levels: tf.Tensor) -> tf.Tensor:
    """What stands before each sample, silence before the first: levels int (B, N) to int (B, N)."""
    return tf.pad(levels, [[0, 0], [1, 0]], constant_values=SILENCE_ID)[:, :-1]


def frames_of(audio: tf.Tensor, settings: RunSettings) -> tf.Tensor | None:
    """Local features of sound, float (B, N) to float32 (B, F, M); None for a model without them."""
    model = settings.model
    if model.local_features == "none":
        return None
    return log_mel(audio, settings.audio.sample_rate, model.num_mel_bins, model.frame_step)
