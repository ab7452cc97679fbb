"""Messages that cannot be read: answered here and not by gRPC, which keeps 20 kB of memory for each of them."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError

# gRPC's own words, which clients know.
_MESSAGE = "Exception deserializing request!"


class UnreadableInterceptor(grpc.ServerInterceptor):
    """Lets messages through to the services as bytes and reads them there."""

    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        """Finds who answers a call, and puts the reading of its message before the answer."""
        handler = continuation(handler_call_details)
        if handler is None or not handler.unary_unary or not handler.request_deserializer:
            return handler
        answer, read = handler.unary_unary, handler.request_deserializer

        def read_and_answer(data: bytes, context: grpc.ServicerContext) -> Any:
            try:
                request = read(data)
            except DecodeError:
                context.abort(grpc.StatusCode.INTERNAL, _MESSAGE)
            return answer(request, context)

        return grpc.unary_unary_rpc_method_handler(read_and_answer, None, handler.response_serializer)
