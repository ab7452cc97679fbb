"""The only map between what went wrong and gRPC status codes."""

import grpc

from serving import errors

_CODES: dict[type[errors.ServingError], grpc.StatusCode] = {
    errors.RequestCancelledError: grpc.StatusCode.CANCELLED,
    errors.UnknownFailureError: grpc.StatusCode.UNKNOWN,
    errors.InvalidRequestError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DeadlineExceededError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.NotFoundError: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExistsError: grpc.StatusCode.ALREADY_EXISTS,
    errors.PermissionRefusedError: grpc.StatusCode.PERMISSION_DENIED,
    errors.ResourceExhaustedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.FailedPreconditionError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AbortedError: grpc.StatusCode.ABORTED,
    errors.OutOfRangeError: grpc.StatusCode.OUT_OF_RANGE,
    errors.NotSupportedError: grpc.StatusCode.UNIMPLEMENTED,
    errors.InternalFailureError: grpc.StatusCode.INTERNAL,
    errors.UnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.DataLossError: grpc.StatusCode.DATA_LOSS,
    errors.UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
}
_MEANINGS = {code: meaning for meaning, code in _CODES.items()}

_MAX_MESSAGE_BYTES = 1024


def code_of(error: errors.ServingError) -> grpc.StatusCode:
    """The gRPC code of a failure."""
    return _CODES.get(type(error), grpc.StatusCode.UNKNOWN)


def error_of(code: grpc.StatusCode, message: str) -> errors.ServingError:
    """The failure that a gRPC answer reports."""
    return _MEANINGS.get(code, errors.UnknownFailureError)(message)


def truncate(message: str) -> str:
    """Cuts a status message to the length that TensorFlow Serving sends."""
    encoded = message.encode()
    if len(encoded) <= _MAX_MESSAGE_BYTES:
        return message
    return encoded[:_MAX_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
