"""Texts that end at a stop string, in the graph. B: batch."""

import tensorflow as tf

from models.decoding.request_settings import STOP_SEPARATOR


def cut_at_stop(texts: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
    """Cuts each text before the first place where one of its stop strings stands.

    Args:
        texts: string (B,).
        stop: stop strings of each text with `STOP_SEPARATOR` between them, string (B,); empty ones stop nothing.

    Returns:
        string (B,); the text itself where none of them stands in it.
    """

    def kept_bytes(text: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
        # A split is the only search of TensorFlow whose pattern may be a tensor. The empty text has no parts.
        return tf.strings.length(tf.concat([tf.strings.split(text, stop), [""]], axis=0)[0])

    def cut(row: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        text, stops = row[0], tf.strings.split(row[1], STOP_SEPARATOR)
        stops = tf.boolean_mask(stops, stops != "")
        lengths = tf.map_fn(lambda stop: kept_bytes(text, stop), stops, fn_output_signature=tf.int32)
        return tf.strings.substr(text, 0, tf.reduce_min(tf.concat([lengths, [tf.strings.length(text)]], axis=0)))

    return tf.map_fn(cut, (texts, stop), fn_output_signature=tf.string)
