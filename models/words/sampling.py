"""What is drawn anew in each epoch: which frequent words are left out, how far each word looks, the noise words.

N: words. T: words of a row, M: noise words.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def kept_shares(counts: Sequence[int], threshold: float) -> np.ndarray:
    """How probable it is that a word is kept: float64 (N,), sqrt(t / f) at most 1 (Mikolov et al., 2013b, eq. 5).

    The authors' program, and gensim with it, keep a word with sqrt(t / f) + t / f; we follow the paper.

    Args:
        counts: of each word.
        threshold: t, a share of all words; 0: all are kept.
    """
    frequencies = np.asarray(counts, np.float64) / max(sum(counts), 1)
    return np.minimum(1.0, np.sqrt(threshold / np.maximum(frequencies, 1e-300))) if threshold else np.ones(len(counts))


def noise_probabilities(counts: Sequence[int], exponent: float) -> np.ndarray:
    """How probable each word is as noise: float64 (N,), its count to the power of 3/4 (2013b, section 2.2)."""
    powers = np.asarray(counts, np.float64) ** exponent
    return powers / powers.sum()


def leave_out(word_ids: tf.Tensor, kept: np.ndarray, seed: tf.Tensor) -> tf.Tensor:
    """Draws which words stay: int (T,) to bool (T,); `kept` of `kept_shares`, seed int (2,)."""
    drawn = tf.random.stateless_uniform(tf.shape(word_ids), seed)
    return drawn < tf.gather(tf.constant(np.concatenate([[0.0], kept]), tf.float32), word_ids)


def draw_radii(shape: tf.Tensor, window: int, seed: tf.Tensor) -> tf.Tensor:
    """How far each word looks: int32 of a shape, 1 to `window`, each as probable (Mikolov et al., 2013a, 3.2)."""
    return tf.random.stateless_uniform(shape, seed, 1, window + 1, tf.int32)


def draw_noise(probabilities: np.ndarray, number: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Noise words: ids int32 (M,) of words with these probabilities (N,)."""
    # In float64: a rare word of a large vocabulary has a share that float32 would round away.
    below = tf.constant(np.cumsum(probabilities)[:-1])
    drawn = tf.random.stateless_uniform([number], seed, dtype=tf.float64)
    return tf.searchsorted(below, drawn, side="right") + 1
