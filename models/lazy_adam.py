"""Adam that touches only the rows of a table that a step has met."""

from typing import Any

import tensorflow as tf

from models.guarded_optimizers import GuardedAdam


class GuardedLazyAdam(GuardedAdam):
    """Adam (Kingma and Ba, 2015, algorithm 1) row by row.

    We differ from the paper where a row has no gradient: its moments and weights stay as they are, where Adam would
    let the moments fade and move the weights by the first one. The count t of the bias correction is that of all steps.
    Other gradients than slices make the step of Adam.
    """

    by_rows = True

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: Any, learning_rate: Any) -> None:
        """Takes the step for one variable: float of its shape, or slices in which each row stands once."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        index, rows, values = self._get_variable_index(variable), gradient.indices, gradient.values
        step = tf.cast(self.iterations + 1, values.dtype)
        moments = []
        for moment, beta, new in (
            (self._momentums[index], self.beta_1, values),
            (self._velocities[index], self.beta_2, tf.square(values)),
        ):
            faded = beta * tf.gather(moment.value, rows) + (1 - beta) * new
            moment.value.scatter_update(tf.IndexedSlices(faded, rows))
            moments.append(faded)
        # Both bias corrections in the rate, and epsilon beside the root before its own: section 2, as in Keras.
        rate = tf.cast(learning_rate, values.dtype) * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)
        variable.scatter_sub(tf.IndexedSlices(rate * moments[0] / (tf.sqrt(moments[1]) + self.epsilon), rows))
