"""Optimizers that measure each step and never let one change the weights whose loss or gradient is no number.

Keras's optimizers take such a step, after which every weight is NaN. All is judged in the graph: nobody waits for a
device in each step; what is known of the last `BLOCK` steps is read together.
"""

import threading
from typing import Any

import keras
import tensorflow as tf

from models.layer_rates import LayerRates

# Steps whose figures lie in the optimizer until they are read.
BLOCK = 10
# A loss so many times that of the first step (or 1, where that is less) has exploded: weights at random guess, and no
# spike from which a training recovers is ten thousand times as bad as a guess.
EXPLODED = 1e4
# What is kept of a step, by its place.
FIGURES = ("loss", "gradient_norm", "clipped", "learning_rate")


class Guarded:
    """Goes before a Keras optimizer among the parents of a class.

    A step is sound where its loss and the global norm of its gradients are finite and the loss has not exploded. The
    norm is that of the gradients of all devices together (Keras clips those of each device by themselves), and it is
    not finite where its square is none in float32, beyond 1e19.

    Args:
        clip_norm: gradients are scaled down to this global norm (Pascanu et al., 2013, algorithm 1); None: they are
            not.
        halts: whether no step is taken after one that is not sound; else such a step alone is left out, and with it
            what was accumulated before it.

    Attributes:
        rates: what the learning rate of each weight is multiplied by; None: it is the same for all.
        by_rows: whether the gradient of a table stays `tf.IndexedSlices`, each row of the step once, and is no tensor
            of the table's size.
    """

    by_rows = False
    rates: LayerRates | None = None
    clip_norm: float | None
    halts: bool

    def build(self, variables: Any) -> None:
        """Makes the variables; they are part of a saved training state."""
        super().build(variables)  # type: ignore[misc]
        self.recent = self._figure((BLOCK, len(FIGURES)), "recent")
        self.unsound = self._figure((len(FIGURES) + 1,), "unsound")
        self.first_loss = self._figure((), "first_loss")
        self.divergences = self._figure((), "divergences", "int32")
        self.halted = self._figure((), "halted", "int32")

    def _figure(self, shape: tuple[int, ...], name: str, dtype: str = "float32") -> Any:
        # "none": each device keeps its own copy; all of them see the same sums.
        return self.add_variable(shape, dtype=dtype, initializer="zeros", aggregation="none", name=name)  # type: ignore[attr-defined]

    def scale_loss(self, loss: tf.Tensor) -> tf.Tensor:
        """Keras shows each loss here before it takes the gradients; float scalar, not changed."""
        self._of_thread.loss = tf.cast(loss, tf.float32)
        return loss

    @property
    def _of_thread(self) -> threading.local:
        # Each device is traced in a thread of its own.
        return self.__dict__.setdefault("_thread_local", threading.local())

    def apply(self, grads: list[Any], trainable_variables: Any = None) -> None:
        """Takes the step if it is sound.

        1. Adds up the gradients and the losses of all devices, and the slices of a row.
        2. Measures, judges and notes them.
        3. Clips and applies them, or leaves weights and moments as they are.

        The count of iterations rises in either case, so that it is that of the batches.
        """
        if not self.built:  # type: ignore[has-type]
            self.build(trainable_variables)
            self.built = True
        # Of an embedding come slices, in which a token stands as often as in the batch: their squares are not those of
        # the gradient, neither for the norm nor for Adam's second moment.
        present = [grad if self.by_rows else tf.convert_to_tensor(grad) for grad in grads if grad is not None]
        *summed, loss = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, [*present, self._of_thread.loss]
        )
        summed = [each_row_once(gradient) for gradient in summed]
        norm = tf.linalg.global_norm(summed)
        goes_on = self._judge(loss, norm)
        # With accumulation the mean of several steps is clipped.
        rest = iter(summed if self.gradient_accumulation_steps else self._clipped(summed, norm))  # type: ignore[attr-defined]
        gradients = [None if grad is None else next(rest) for grad in grads]
        # A condition over an update of all devices must stand outside of the devices.
        tf.distribute.get_replica_context().merge_call(
            self._apply_where, args=(goes_on, gradients, list(trainable_variables))
        )

    def _judge(self, loss: tf.Tensor, norm: tf.Tensor) -> tf.Tensor:
        """Notes the step; returns whether it is taken, bool ()."""
        step = tf.cast(self._iterations.value, tf.int32)  # type: ignore[attr-defined]
        clips = norm > self.clip_norm if self.clip_norm else tf.constant(False)
        rate = tf.cast(self.learning_rate, tf.float32)  # type: ignore[attr-defined]
        figures = tf.stack([loss, norm, tf.cast(clips, tf.float32), rate])
        begins = (step == 0) & tf.math.is_finite(loss)
        first = tf.where(begins, loss, self.first_loss.value)
        sound = tf.math.is_finite(loss) & tf.math.is_finite(norm) & (loss <= exploded_loss(first))
        goes_on_so_far = self.halted.value == 0
        diverges = tf.logical_not(sound) & goes_on_so_far
        place = [[step % BLOCK]]
        self.recent.assign(tf.tensor_scatter_nd_update(self.recent.value, place, figures[tf.newaxis]))
        self.unsound.assign(
            tf.where(diverges, tf.concat([figures, [tf.cast(step, tf.float32)]], 0), self.unsound.value)
        )
        self.first_loss.assign(first)
        self.divergences.assign_add(tf.cast(diverges, tf.int32))
        if self.halts:
            self.halted.assign(tf.maximum(self.halted.value, tf.cast(diverges, tf.int32)))
        return sound & goes_on_so_far

    def _clipped(self, gradients: list[Any], norm: tf.Tensor) -> list[Any]:
        if not self.clip_norm:
            return gradients
        factor = self.clip_norm / tf.maximum(norm, self.clip_norm)
        return [_times(gradient, factor) for gradient in gradients]

    def _clip_gradients(self, gradients: list[Any]) -> list[Any]:
        """Keras clips here what it is about to apply."""
        if not self.gradient_accumulation_steps:  # type: ignore[attr-defined]
            return gradients
        return self._clipped(gradients, tf.linalg.global_norm(gradients))

    def _apply_where(self, strategy: tf.distribute.Strategy, goes_on: Any, gradients: Any, variables: Any) -> None:
        def take() -> None:
            update = super(Guarded, self).apply  # type: ignore[misc]
            strategy.extended.call_for_each_replica(update, args=(gradients, variables))

        def leave_out() -> None:
            self._iterations.assign_add(1)  # type: ignore[attr-defined]
            if self.gradient_accumulation_steps:  # type: ignore[attr-defined]
                # What lay there would be added to the next mean where this step was the last of its own.
                self._backend_reset_gradient_accumulators()  # type: ignore[attr-defined]

        # All devices have come to the same verdict.
        tf.cond(strategy.experimental_local_results(goes_on)[0], take, leave_out)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Keras's step, number by number, by a kernel that reads each tensor once instead of a dozen times."""
        if self.rates:
            weight = self._trainable_variables[self._get_variable_index(variable)]  # type: ignore[attr-defined]
            learning_rate = learning_rate * self.rates.factor(weight.path, self.iterations)  # type: ignore[attr-defined]
            if self.weight_decay and self._use_weight_decay(weight):  # type: ignore[attr-defined]
                variable.assign_sub(variable * (self.weight_decay * learning_rate))  # type: ignore[attr-defined]
        if self.amsgrad:  # type: ignore[attr-defined]
            super().update_step(gradient, variable, learning_rate)  # type: ignore[misc]
            return
        index, dtype = self._get_variable_index(variable), variable.dtype  # type: ignore[attr-defined]
        step = tf.cast(keras.ops.convert_to_tensor(self.iterations) + 1, dtype)  # type: ignore[attr-defined]
        betas = [tf.constant(beta, dtype) for beta in (self.beta_1, self.beta_2)]  # type: ignore[attr-defined]
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,  # type: ignore[attr-defined]
            v=self._velocities[index].value.handle,  # type: ignore[attr-defined]
            beta1_power=betas[0] ** step,
            beta2_power=betas[1] ** step,
            lr=tf.cast(learning_rate, dtype),
            beta1=betas[0],
            beta2=betas[1],
            epsilon=tf.constant(self.epsilon, dtype),  # type: ignore[attr-defined]
            grad=tf.cast(gradient, dtype),
        )

    def _apply_weight_decay(self, variables: Any) -> None:
        """Keras takes one rate for all; where there are several, the step itself shrinks each weight."""
        if not self.rates:
            super()._apply_weight_decay(variables)  # type: ignore[misc]

    def _all_reduce_sum_gradients(self, grads_and_vars: Any) -> Any:
        """Keras adds up the gradients of all devices here; they are sums already."""
        return grads_and_vars


def exploded_loss(first_loss: Any) -> Any:
    """The greatest loss that is still one, for a training whose first step had `first_loss`."""
    return EXPLODED * tf.maximum(first_loss, 1.0)


def each_row_once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    """Adds up the slices of each row, float (any, ...) to (rows, ...); a tensor stays as it is."""
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    sums = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(sums, rows, gradient.dense_shape)


def _times(gradient: tf.Tensor | tf.IndexedSlices, factor: tf.Tensor) -> tf.Tensor | tf.IndexedSlices:
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient * tf.cast(factor, gradient.dtype)
    values = gradient.values * tf.cast(factor, gradient.dtype)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)


class GuardedAdam(Guarded, keras.optimizers.Adam):
    """Adam (Kingma and Ba, 2015); arguments as of Keras's besides those of `Guarded`."""

    def __init__(self, learning_rate: Any, clip_norm: float | None, halts: bool, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.clip_norm, self.halts = clip_norm, halts


class GuardedAdamW(Guarded, keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter, 2019); arguments as of Keras's besides those of `Guarded`."""

    def __init__(self, learning_rate: Any, clip_norm: float | None, halts: bool, **kwargs: Any):
        super().__init__(learning_rate, **kwargs)
        self.clip_norm, self.halts = clip_norm, halts
