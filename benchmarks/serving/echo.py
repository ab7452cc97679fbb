"""A bare grpc.aio server that answers each request with the same bytes: what gRPC in Python costs without a model.

python -m benchmarks.serving.echo --port PORT --response FILE
"""

import asyncio
from pathlib import Path
from typing import Annotated

import grpc
import typer


async def serve(port: int, response: bytes) -> None:
    """Answers Predict until the process is ended."""

    async def answer(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return response

    server = grpc.aio.server()
    handlers = {"Predict": grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", handlers),)
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main(port: Annotated[int, typer.Option()], response: Annotated[Path, typer.Option()]) -> None:
    """Answers every Predict with the bytes of a file."""
    asyncio.run(serve(port, response.read_bytes()))


if __name__ == "__main__":
    typer.run(main)
