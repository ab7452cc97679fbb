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
    return scan_on(step, carry, sequence)[1]


def scan_on(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, sequence: Any) -> tuple[Any, Any]:
    """As `scan`, with the last carry before the outputs."""
    time_major = keras.ops.swapaxes(sequence, 0, 1)
    run = _scan if keras.backend.backend() == "tensorflow" else keras.ops.scan
    carry, outputs = run(step, carry, time_major)
    return carry, keras.tree.map_structure(lambda output: keras.ops.swapaxes(output, 0, 1), outputs)


def _scan(step: Callable[[Any, Any], tuple[Any, Any]], carry: Any, time_major: tf.Tensor) -> tuple[Any, Any]:
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

    _, carry, arrays = tf.while_loop(
        lambda index, *_: index < length, body, (0, carry, arrays), maximum_iterations=length
    )
    return carry, tf.nest.map_structure(lambda array: array.stack(), arrays)
