"""Sound as WAV files. Without TensorFlow, since a client writes them too."""

import io
import wave

import numpy as np

_FULL_SCALE = 32767


def wav_bytes(samples: np.ndarray, sample_rate: int) -> bytes:
    """A WAV file of float samples in [-1, 1], (N,): mono, 16 bit."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.round(np.clip(samples, -1, 1) * _FULL_SCALE).astype("<i2").tobytes())
    return stream.getvalue()
