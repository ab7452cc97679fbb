"""The canonical names and numbers of what can go wrong, as TensorFlow, gRPC, REST and metrics show them."""

import asyncio

from serving import errors

_CANONICAL: dict[type[errors.ServingError], tuple[str, int]] = {
    errors.RequestCancelledError: ("CANCELLED", 1),
    errors.UnknownFailureError: ("UNKNOWN", 2),
    errors.InvalidRequestError: ("INVALID_ARGUMENT", 3),
    errors.DeadlineExceededError: ("DEADLINE_EXCEEDED", 4),
    errors.NotFoundError: ("NOT_FOUND", 5),
    errors.AlreadyExistsError: ("ALREADY_EXISTS", 6),
    errors.PermissionRefusedError: ("PERMISSION_DENIED", 7),
    errors.ResourceExhaustedError: ("RESOURCE_EXHAUSTED", 8),
    errors.FailedPreconditionError: ("FAILED_PRECONDITION", 9),
    errors.AbortedError: ("ABORTED", 10),
    errors.OutOfRangeError: ("OUT_OF_RANGE", 11),
    errors.NotSupportedError: ("UNIMPLEMENTED", 12),
    errors.InternalFailureError: ("INTERNAL", 13),
    errors.UnavailableError: ("UNAVAILABLE", 14),
    errors.DataLossError: ("DATA_LOSS", 15),
    errors.UnauthenticatedError: ("UNAUTHENTICATED", 16),
}


def status_name(error: BaseException | None) -> str:
    """Canonical name of the status that an error becomes; None is OK, an unexpected error INTERNAL."""
    return _status(error)[0]


def status_number(error: BaseException | None) -> int:
    """Canonical number of the status that an error becomes."""
    return _status(error)[1]


def _status(error: BaseException | None) -> tuple[str, int]:
    if error is None:
        return "OK", 0
    if isinstance(error, errors.ServingError):
        return _CANONICAL.get(type(error), ("UNKNOWN", 2))
    # The latter where a client leaves an answer that is given piece by piece.
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "CANCELLED", 1
    return "INTERNAL", 13
