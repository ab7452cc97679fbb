"""A loop over time whose outputs may have any shape."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, sequence: Any) -> Any:
    """Runs `step` over the time axis, like `jax.lax.scan`.

    Under TensorFlow, `keras.ops.scan` demands outputs of the carry's shapes and keeps the carry in arrays; not so here.

    Args:
        step: (carry, float (B, D)) to (carry, nest of outputs (B, ...)).
        carry: nest of tensors, the first step's.
        sequence: float (B, T, D).

    Returns:
        nest of outputs, each (B, T, ...).
    """
    time_major = keras.ops.swapaxes(sequence, 0, 1)
    if keras.backend.backend() == "tensorflow":
        outputs = _scan(step, carry, time_major)
    else:
        _, outputs = keras.ops.scan(step, carry, time_major)
    return keras.tree.map_structure(lambda output: keras.ops.swapaxes(output, 0, 1), outputs)


def _scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, time_major: tf.Tensor) -> Any:
    length = tf.shape(time_major)[0]
    specifications = tf.nest.map_structure(tf.type_spec_from_value, step(carry, time_major[0])[1])
    arrays = tf.nest.map_structure(
        lambda spec: tf.TensorArray(spec.dtype, length, element_shape=spec.shape), specifications
    )

    def body(index: tf.Tensor, carry: Any, arrays: Any) -> tuple[tf.Tensor, Any, Any]:
        carry, outputs = step(carry, time_major[index])
        return (
            index + 1,
            carry,
            tf.nest.map_structure(lambda array, output: array.write(index, output), arrays, outputs),
        )

    _, _, arrays = tf.while_loop(lambda index, *_: index < length, body, (0, carry, arrays), maximum_iterations=length)
    return tf.nest.map_structure(lambda array: array.stack(), arrays)
