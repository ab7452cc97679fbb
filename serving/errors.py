"""What can go wrong while serving, by meaning.

Nothing here knows a transport: `serving/grpc/status.py` holds the only map from these meanings to gRPC codes. The
names follow the canonical error space that TensorFlow and gRPC share, so an error of a TensorFlow op keeps its
meaning on the way to the client.
"""

# Told to who comes before the server takes requests, or after; clients may try again.
STARTING = "the server is starting; health tells when its models answer"
STOPPING = "the server is stopping"


class ServingError(Exception):
    """A failure whose message is meant for the user: shown without a stack trace."""


class ServerStartError(ServingError):
    """The server cannot start, or its model never became available."""


class NoServerError(ServingError):
    """A client found no server at its address."""


class RequestCancelledError(ServingError):
    """The caller gave up, or the work was cancelled."""


class UnknownFailureError(ServingError):
    """A failure that its source did not classify."""


class InvalidRequestError(ServingError):
    """The request is wrong whatever the state of the server is."""


class DeadlineExceededError(ServingError):
    """The time that the caller gave was not enough."""


class NotFoundError(ServingError):
    """What the request names is not here: model, version, file, op."""


class AlreadyExistsError(ServingError):
    """What should be created is already here."""


class PermissionRefusedError(ServingError):
    """The caller may not do this."""


class ResourceExhaustedError(ServingError):
    """Memory, quota or time in a queue ran out."""


class FailedPreconditionError(ServingError):
    """The request does not fit the state or the model that it meets."""


class AbortedError(ServingError):
    """Concurrent work got in the way."""


class OutOfRangeError(ServingError):
    """A value lies outside its legal range."""


class NotSupportedError(ServingError):
    """The operation is not implemented."""


class InternalFailureError(ServingError):
    """An invariant is broken: a bug."""


class UnavailableError(ServingError):
    """The server cannot answer at the moment; the same request may succeed later."""


class DataLossError(ServingError):
    """Stored data is corrupt."""


class UnauthenticatedError(ServingError):
    """The caller did not prove who it is."""
