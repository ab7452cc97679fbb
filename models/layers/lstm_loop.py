"""An LSTM over a whole sequence, with a gradient of its own, for TensorFlow.

N: rows, T: time, H: width. Equations and letters are those of `cells.LstmCell`; here z = W x + U h + b.

TensorFlow differentiates a loop step by step, so that each step adds to a sum as large as U. By hand the loop backwards
finds but the gradient of z; that of U is one matrix product over all steps, and so are those of W and b outside.

For training alone: a SavedModel keeps gradients made by hand, and fails at one that looks into the arrays of its loop.
"""

from typing import Any

import tensorflow as tf

# h and c, float (N, H) each.
_States = tuple[tf.Tensor, tf.Tensor]


def lstm_loop(
    below: tf.Tensor, kernel: tf.Tensor, h: tf.Tensor, c: tf.Tensor, real: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Reads a sequence.

    Args:
        below: W x + b, float (N, T, 4H), gates side by side as everywhere: i, f, g, o.
        kernel: U, float (H, 4H).
        h: before the first step, float (N, H).
        c: the same.
        real: bool (N, T); False: a step leaves the states as they are. None: all are real.

    Returns:
        h of all steps, float (N, T, H), and the last h and c.
    """
    steps = tf.shape(below)[1]
    is_real = None if real is None else _array(tf.transpose(real)[:, :, tf.newaxis])

    def keep(found: tf.Tensor, before: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        return found if is_real is None else tf.where(is_real.read(time), found, before)

    @tf.custom_gradient
    def run(below: tf.Tensor, kernel: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> tuple[Any, Any]:
        entering = _array(tf.transpose(below, [1, 0, 2]))
        # What a step found stands at its time, what it began with at that of the states.
        gates = [_empty(h, steps) for _ in "ifgo"]
        states = [_empty(state, steps + 1).write(0, state) for state in (h, c)]

        def forward(time: tf.Tensor, h: tf.Tensor, c: tf.Tensor, gates: Any, states: Any) -> Any:
            i, f, g, o = tf.split(entering.read(time) + tf.matmul(h, kernel), 4, axis=1)
            found = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
            i, f, g, o = found
            raw = f * c + i * g
            h, c = keep(o * tf.tanh(raw), h, time), keep(raw, c, time)
            gates = [array.write(time, gate) for array, gate in zip(gates, found, strict=True)]
            states = [array.write(time + 1, state) for array, state in zip(states, (h, c), strict=True)]
            return time + 1, h, c, gates, states

        _, last_h, last_c, gates, states = tf.while_loop(
            lambda time, *_: time < steps, forward, (0, h, c, gates, states), maximum_iterations=steps
        )
        all_h = states[0].stack()

        def gradient(d_outputs: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor) -> tuple[tf.Tensor, ...]:
            coming = _array(tf.transpose(d_outputs, [1, 0, 2]))
            d_below, turned = _empty(below[:, 0], steps), tf.transpose(kernel)

            def backward(time: tf.Tensor, d_h: tf.Tensor, d_c: tf.Tensor, d_below: Any) -> Any:
                i, f, g, o = (array.read(time) for array in gates)
                shown = tf.tanh(states[1].read(time + 1))
                d_h += coming.read(time)
                d_raw = d_c + d_h * o * (1 - shown * shown)
                d_z = tf.concat(
                    [
                        d_raw * g * i * (1 - i),
                        d_raw * states[1].read(time) * f * (1 - f),
                        d_raw * i * (1 - g * g),
                        d_h * shown * o * (1 - o),
                    ],
                    axis=1,
                )
                d_z = keep(d_z, tf.zeros_like(d_z), time)
                # Where the step was none, h went past it.
                d_h = keep(tf.matmul(d_z, turned), d_h, time)
                return time - 1, d_h, keep(d_raw * f, d_c, time), d_below.write(time, d_z)

            loop = (steps - 1, d_h, d_c, d_below)
            _, d_h, d_c, d_below = tf.while_loop(lambda time, *_: time >= 0, backward, loop, maximum_iterations=steps)
            d_z = d_below.stack()
            d_kernel = tf.matmul(_flat(all_h[:-1]), _flat(d_z), transpose_a=True)
            return tf.transpose(d_z, [1, 0, 2]), d_kernel, d_h, d_c

        return (tf.transpose(all_h[1:], [1, 0, 2]), last_h, last_c), gradient

    # Of a variable TensorFlow would want to know more.
    return run(below, tf.convert_to_tensor(kernel), h, c)


def _array(time_major: tf.Tensor) -> tf.TensorArray:
    shape = time_major.shape[1:]
    return tf.TensorArray(
        time_major.dtype, tf.shape(time_major)[0], element_shape=shape, clear_after_read=False
    ).unstack(time_major)


def _empty(like: tf.Tensor, steps: tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(like.dtype, steps, element_shape=like.shape, clear_after_read=False)


def _flat(time_major: tf.Tensor) -> tf.Tensor:
    return tf.reshape(time_major, [-1, time_major.shape[-1]])
