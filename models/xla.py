"""Whether the process that runs a graph compiles with XLA, asked in the graph itself."""

import tensorflow as tf


@tf.function(jit_compile=True)
def _compiled(value: tf.Tensor) -> tf.Tensor:
    return value + 1


def is_xla_available() -> tf.Tensor:
    """Bool scalar: whether functions marked for XLA run here.

    A stock TensorFlow Serving refuses them with an error unless it was started with its XLA flag. An error inside a
    dataset, of all places, can be caught by a graph.
    """
    answers = tf.data.Dataset.from_tensors(tf.constant(0)).map(_compiled).ignore_errors(log_warning=False)
    return answers.reduce(tf.constant(0), lambda count, _: count + 1) > 0
