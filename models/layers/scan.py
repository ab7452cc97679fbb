"""A loop over time whose outputs may have any shape."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, sequence: Any) -> tuple[Any, Any]:
    """Runs `step` over the time axis, like `jax.lax.scan`.

    Under TensorFlow, `keras.ops.scan` demands outputs of the carry's shapes and keeps the carry in arrays; not so here.

    Args:
        step: (carry, nest of what the sequence holds at one time, each (B, ...)) to (carry, nest of outputs (B, ...)).
        carry: nest of tensors, the first step's.
        sequence: nest of tensors, each (B, T, ...).

    Returns:
        the last carry, and a nest of outputs, each (B, T, ...).
    """
    time_major = keras.tree.map_structure(lambda tensor: keras.ops.swapaxes(tensor, 0, 1), sequence)
    loop = _scan if keras.backend.backend() == "tensorflow" else keras.ops.scan
    carry, outputs = loop(step, carry, time_major)
    return carry, keras.tree.map_structure(lambda output: keras.ops.swapaxes(output, 0, 1), outputs)


def _scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, time_major: Any) -> tuple[Any, Any]:
    length = tf.shape(tf.nest.flatten(time_major)[0])[0]
    first = tf.nest.map_structure(lambda tensor: tensor[0], time_major)
    specifications = tf.nest.map_structure(tf.type_spec_from_value, step(carry, first)[1])
    # Read from arrays: the gradient of a slice is as large as what it is cut from, at every step.
    read = tf.nest.map_structure(
        lambda tensor: tf.TensorArray(tensor.dtype, length, element_shape=tensor.shape[1:]).unstack(tensor), time_major
    )
    written = tf.nest.map_structure(
        lambda spec: tf.TensorArray(spec.dtype, length, element_shape=spec.shape), specifications
    )

    def body(index: tf.Tensor, carry: Any, written: Any) -> tuple[tf.Tensor, Any, Any]:
        carry, outputs = step(carry, tf.nest.map_structure(lambda array: array.read(index), read))
        return (
            index + 1,
            carry,
            tf.nest.map_structure(lambda array, output: array.write(index, output), written, outputs),
        )

    loop = (0, carry, written)
    _, carry, written = tf.while_loop(lambda index, *_: index < length, body, loop, maximum_iterations=length)
    return carry, tf.nest.map_structure(lambda array: array.stack(), written)
