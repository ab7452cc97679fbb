"""What every RPC has in common: its deadline, and how a failure becomes a status."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import grpc
from tensorflow_serving.apis import model_pb2

from serving.core.store import ModelQuery
from serving.errors import InvalidRequestError, ServingError
from serving.grpc.status import code_of, truncate

_log = logging.getLogger("seqline.serving")

Answer = TypeVar("Answer")


def answer(context: grpc.ServicerContext, make: Callable[[], Answer]) -> Answer:
    """Gives the answer, or ends the call with the status of what went wrong.

    The text of an unexpected error stays in the log: it may hold what is no client's business.
    """
    try:
        return make()
    except ServingError as error:
        code, message = code_of(error), truncate(str(error))
    except Exception:
        _log.exception("a request failed in an unexpected way")
        code, message = grpc.StatusCode.INTERNAL, "Internal error; the server's log has the details"
    context.abort(code, message)
    raise AssertionError("abort always raises")


def deadline_of(context: grpc.ServicerContext, limit: float = 0.0) -> float:
    """Time at which the caller gives up, on the clock of `time.monotonic`; infinite when it never does.

    Args:
        context: The call.
        limit: Longest wait that the server itself allows, in seconds; 0 or less for any.
    """
    remaining = context.time_remaining()
    waits = [wait for wait in (remaining, limit if limit > 0 else None) if wait is not None]
    return time.monotonic() + min(waits) if waits else float("inf")


def query_of(spec: model_pb2.ModelSpec) -> ModelQuery:
    """What a ModelSpec asks for."""
    return ModelQuery(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label)


def require_spec(has_spec: bool) -> None:
    """Refuses a request that names no model at all."""
    if not has_spec:
        raise InvalidRequestError("Missing ModelSpec")
