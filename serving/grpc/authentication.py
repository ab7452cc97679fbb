"""Refuses gRPC calls without a known token: at their head, before anything of the message is taken."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc

from serving.core.tokens import Tokens
from serving.errors import UnauthenticatedError

_OPEN = "/grpc.health.v1.Health/"


def refusal(tokens: Tokens | None, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
    """What answers a call that may not pass; None for one that may. Health is open: a load balancer has no token."""
    if tokens is None or details.method.startswith(_OPEN):
        return None
    try:
        tokens.check(_authorization(details.invocation_metadata))
    except UnauthenticatedError as error:
        return refuse(grpc.StatusCode.UNAUTHENTICATED, str(error))
    return None


def refuse(code: grpc.StatusCode, message: str, trailers: tuple[tuple[str, str], ...] = ()) -> grpc.RpcMethodHandler:
    """Answers a call with a status at once, whether its message comes or not."""

    async def answer(messages: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
        await context.abort(code, message, trailers)

    return grpc.stream_unary_rpc_method_handler(answer)


def _authorization(metadata: Iterable[tuple[str, Any]]) -> str | bytes | None:
    return next((value for key, value in metadata if key == "authorization"), None)
