"""Sound as numbers: companding, quantization and spectra, all in the graph.

B: batch, N: samples, F: frames, M: mel bins.
"""

import math

import tensorflow as tf

LEVELS = 256
_MU = LEVELS - 1
# The level of a sample of zero.
SILENCE_ID = LEVELS // 2
# Of the frames by which recordings are recognised.
NUM_MEL_BINS = 40
_FLOOR = 1e-5


def mu_law_encode(audio: tf.Tensor) -> tf.Tensor:
    """Compands and quantizes (van den Oord et al., 2016, section 2.2; ITU-T G.711 with mu = 255).

    Args:
        audio: float in [-1, 1], any shape; what lies outside is clipped.

    Returns:
        Levels, int32, 0 to 255; 128 is silence.
    """
    audio = tf.clip_by_value(tf.cast(audio, tf.float32), -1.0, 1.0)
    companded = tf.sign(audio) * tf.math.log1p(_MU * tf.abs(audio)) / math.log1p(_MU)
    # To 128 and not to 127.5, so that silence has a level of its own and comes back as zero.
    return tf.clip_by_value(tf.cast(tf.round(companded * SILENCE_ID), tf.int32) + SILENCE_ID, 0, _MU)


def mu_law_decode(audio_ids: tf.Tensor) -> tf.Tensor:
    """The inverse: levels, int, to float32 in [-1, 1]."""
    companded = tf.cast(audio_ids - SILENCE_ID, tf.float32) / SILENCE_ID
    return tf.sign(companded) * tf.math.expm1(tf.abs(companded) * math.log1p(_MU)) / _MU


def log_mel(audio: tf.Tensor, sample_rate: int, num_mel_bins: int, frame_step: int) -> tf.Tensor:
    """Logarithm of a mel spectrogram.

    Args:
        audio: float (B, N).
        sample_rate: in hertz.
        num_mel_bins: M.
        frame_step: samples between frames; a frame sees four times as many.

    Returns:
        float32 (B, F, M) with F = ceil(N / frame_step): frame f begins at sample f * frame_step. A frame sees nothing
        before its own beginning, and silence behind the end.
    """
    frame_length = 4 * frame_step
    num_frames = -(-tf.shape(audio)[-1] // frame_step)
    missing = tf.maximum((num_frames - 1) * frame_step + frame_length - tf.shape(audio)[-1], 0)
    padded = tf.pad(audio, [[0, 0], [0, missing]])
    spectrum = tf.abs(tf.signal.stft(padded, frame_length, frame_step))
    weights = tf.signal.linear_to_mel_weight_matrix(
        num_mel_bins, spectrum.shape[-1], sample_rate, lower_edge_hertz=20.0, upper_edge_hertz=sample_rate / 2
    )
    return tf.math.log(tf.matmul(spectrum, weights) + _FLOOR)[:, :num_frames]
