"""Refuses gRPC requests without a known token."""

from collections.abc import Callable
from typing import Any

import grpc

from serving.core.tokens import Tokens
from serving.errors import UnauthenticatedError

_OPEN = "/grpc.health.v1.Health/"


class TokenInterceptor(grpc.ServerInterceptor):
    """Asks every request for a token, those for health excepted: a load balancer has none."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def intercept_service(
        self, continuation: Callable[[Any], grpc.RpcMethodHandler | None], details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        """Gives the method asked for, or one that refuses."""
        if details.method.startswith(_OPEN):
            return continuation(details)
        try:
            self._tokens.check(dict(details.invocation_metadata).get("authorization"))
        except UnauthenticatedError as error:
            return _refusal(str(error))
        return continuation(details)


def _refusal(message: str) -> grpc.RpcMethodHandler:
    def refuse(request: Any, context: grpc.ServicerContext) -> None:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

    return grpc.unary_unary_rpc_method_handler(refuse)
