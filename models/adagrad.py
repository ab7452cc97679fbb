"""Adagrad that touches only the rows of a table that a step has met."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.guarded_optimizers import Guarded


class GuardedAdagrad(Guarded, keras.optimizers.Adagrad):
    """Adagrad with diagonal matrices (Duchi et al., 2011, figure 1, without a regularizer).

    s <- s + g^2, w <- w - rate * g / (sqrt(s) + epsilon), number by number; the paper writes eta and delta, and s for
    the root. A row without a gradient has g = 0, so leaving it alone is no approximation: slices and the tensor of the
    table's size end at the same weights. We differ from Keras, whose sum begins at 0.1 and which adds epsilon below the
    root: gradients of a mean over thousands of predictions would vanish beside either.

    Args:
        learning_rate: float or schedule.
        clip_norm: as of `Guarded`; halts too.
        halts: as of `Guarded`.
    """

    by_rows = True

    def __init__(self, learning_rate: Any, clip_norm: float | None, halts: bool, epsilon: float = 1e-10):
        super().__init__(learning_rate, initial_accumulator_value=0.0, epsilon=epsilon)
        self.clip_norm, self.halts = clip_norm, halts

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: Any, learning_rate: Any) -> None:
        """Takes the step for one variable: float of its shape, or slices in which each row stands once."""
        squares = self._accumulators[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        if not isinstance(gradient, tf.IndexedSlices):
            self.assign_add(squares, ops.square(gradient))
            self.assign_sub(variable, rate * gradient / (ops.sqrt(squares) + self.epsilon))
            return
        # The equation as one operation: each pass over the rows would cost as much as all of it.
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=variable.handle,
            accum=squares.value.handle,
            lr=rate,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=gradient.values,
            indices=gradient.indices,
        )
