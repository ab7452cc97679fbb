"""Sound as WAV files. Without TensorFlow, since a client writes them too."""

import io

import numpy as np
import soundfile

_FULL_SCALE = 32767


def wav_bytes(samples: np.ndarray, sample_rate: int) -> bytes:
    """A WAV file of float samples in [-1, 1], (N,): mono, 16 bit."""
    stream = io.BytesIO()
    # As integers: soundfile would make -32768 of the float -1, and 32767 of 1.
    levels = np.round(np.clip(samples, -1, 1) * _FULL_SCALE).astype(np.int16)
    soundfile.write(stream, levels, sample_rate, subtype="PCM_16", format="WAV")
    return stream.getvalue()
