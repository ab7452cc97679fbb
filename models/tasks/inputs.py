"""Parts of model inputs that training and serving make in the same way."""

import tensorflow as tf


def at_least_one_position(sequence: tf.Tensor, axis: int = -1) -> tf.Tensor:
    """Gives an empty sequence one position of zeros, which is padding: layers fail on, or misread, one without any.

    Args:
        sequence: any shape and dtype.
        axis: of the positions.
    """
    missing = tf.maximum(1 - tf.shape(sequence)[axis], 0)
    rank = sequence.shape.rank
    behind = [tf.where(index == axis % rank, missing, 0) for index in range(rank)]
    return tf.pad(sequence, tf.stack([tf.zeros([rank], tf.int32), tf.stack(behind)], axis=1))


def first_values(values: tf.Tensor | tf.SparseTensor) -> tf.Tensor:
    """The one string of each row: (B, 1), dense or sparse, to (B,)."""
    return (tf.sparse.to_dense(values, "") if isinstance(values, tf.SparseTensor) else values)[:, 0]


def all_of(dense: tf.Tensor | tf.SparseTensor) -> tf.SparseTensor:
    """Numbers (B, N) as a sparse tensor that keeps every value, zeros too."""
    if isinstance(dense, tf.SparseTensor):
        return dense
    # Not tf.sparse.from_dense, which would leave out every zero.
    shape = tf.shape(dense, tf.int64)
    return tf.SparseTensor(tf.where(tf.ones(shape, tf.bool)), tf.reshape(dense, [-1]), shape)
