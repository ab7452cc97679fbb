"""The only map between what went wrong and HTTP status codes."""

from serving import errors

_CODES: dict[type[errors.ServingError], int] = {
    errors.InvalidRequestError: 400,
    errors.FailedPreconditionError: 400,
    errors.OutOfRangeError: 400,
    errors.UnauthenticatedError: 401,
    errors.PermissionRefusedError: 403,
    errors.NotFoundError: 404,
    errors.AlreadyExistsError: 409,
    errors.AbortedError: 409,
    errors.ResourceExhaustedError: 429,
    errors.RequestCancelledError: 499,
    errors.NotSupportedError: 501,
    errors.UnavailableError: 503,
    errors.DeadlineExceededError: 504,
}


def http_status(error: errors.ServingError) -> int:
    """The HTTP status of a failure; also of one that derives from a listed kind."""
    return next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), 500)
