"""Who answers a call: by its path, once its token is known and while the server takes calls."""

from collections.abc import Mapping

import grpc

from serving.core.tokens import Tokens
from serving.errors import STARTING, STOPPING
from serving.grpc.authentication import refusal, refuse

_ALWAYS = "/grpc.health.v1.Health/"
# Clients that try again wait so long first: then the port is closed, and they find another server.
_PUSHBACK = (("grpc-retry-pushback-ms", "500"),)


class Methods(grpc.GenericRpcHandler):
    """The table of methods.

    Attributes:
        stopping: Answer new calls that the server is stopping, health excepted.
        told: How many have been answered so.
    """

    def __init__(self, handlers: Mapping[str, grpc.RpcMethodHandler], tokens: Tokens | None) -> None:
        """Prepares the table.

        Args:
            handlers: Path to what answers it; other calls are told that the server is starting until `complete` gives
                the rest.
            tokens: Who may ask; None for everybody.
        """
        self._handlers = dict(handlers)
        self._tokens = tokens
        self._unknown: grpc.RpcMethodHandler | None = refuse(grpc.StatusCode.UNAVAILABLE, STARTING)
        self._goodbye = refuse(grpc.StatusCode.UNAVAILABLE, STOPPING, _PUSHBACK)
        self.stopping = False
        self.told = 0

    def complete(self, handlers: Mapping[str, grpc.RpcMethodHandler]) -> None:
        """Adds the methods that were missing; there are no others any more."""
        self._handlers |= handlers
        self._unknown = None

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """Finds who answers a call, before anything of its message is taken."""
        method = handler_call_details.method
        if self.stopping and not method.startswith(_ALWAYS):
            self.told += 1
            return self._goodbye
        return refusal(self._tokens, handler_call_details) or self._handlers.get(method, self._unknown)
