"""Errors of TensorFlow, by meaning."""

import tensorflow as tf

from serving import errors

_MEANINGS: dict[type[tf.errors.OpError], type[errors.ServingError]] = {
    tf.errors.CancelledError: errors.RequestCancelledError,
    tf.errors.UnknownError: errors.UnknownFailureError,
    tf.errors.InvalidArgumentError: errors.InvalidRequestError,
    tf.errors.DeadlineExceededError: errors.DeadlineExceededError,
    tf.errors.NotFoundError: errors.NotFoundError,
    tf.errors.AlreadyExistsError: errors.AlreadyExistsError,
    tf.errors.PermissionDeniedError: errors.PermissionRefusedError,
    tf.errors.ResourceExhaustedError: errors.ResourceExhaustedError,
    tf.errors.FailedPreconditionError: errors.FailedPreconditionError,
    tf.errors.AbortedError: errors.AbortedError,
    tf.errors.OutOfRangeError: errors.OutOfRangeError,
    tf.errors.UnimplementedError: errors.NotSupportedError,
    tf.errors.InternalError: errors.InternalFailureError,
    tf.errors.UnavailableError: errors.UnavailableError,
    tf.errors.DataLossError: errors.DataLossError,
    tf.errors.UnauthenticatedError: errors.UnauthenticatedError,
}


def meaning_of(error: tf.errors.OpError) -> errors.ServingError:
    """The same failure as an error of ours, with TensorFlow's own text."""
    return _MEANINGS.get(type(error), errors.UnknownFailureError)(error.message)
