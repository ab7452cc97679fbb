"""seqline.serving.GenerationService: a message in, the pieces of its answer out."""

import contextlib
import math
import time
from collections.abc import AsyncGenerator

from serving.core.streaming.description import Setting
from serving.core.streaming.generator import STOP_SEPARATOR
from serving.front.streams import Streams
from serving.grpc.call import StreamAnswer
from serving.grpc.model_spec import query_of, require_spec
from serving.wire.messages import GenerateRequest, GenerateResponse


class GenerationService:
    """Serves answers piece by piece."""

    def __init__(self, streams: Streams, limit_seconds: float) -> None:
        """Prepares the service.

        Args:
            streams: Gives the pieces.
            limit_seconds: Longest answer, in seconds; 0 or less: no limit.
        """
        self._streams = streams
        self._limit = limit_seconds

    def methods(self) -> dict[str, StreamAnswer]:
        """What answers each method."""
        return {"Generate": self._generate}

    async def _generate(self, data: bytes, deadline: float) -> AsyncGenerator[bytes, None]:
        request = GenerateRequest.FromString(data)
        require_spec(request.HasField("model_spec"))
        query = query_of(request.model_spec)
        end = min(deadline, time.monotonic() + self._limit if self._limit > 0 else math.inf)
        response = GenerateResponse()
        response.model_spec.name = query.name
        async with contextlib.aclosing(self._streams.generate(query, _inputs(request), end)) as pieces:
            async for version, piece in pieces:
                response.model_spec.version.value = version
                response.text, response.reason = piece.text, piece.reason
                response.score, response.num_tokens = piece.score, piece.num_tokens
                yield response.SerializeToString()


def _inputs(request: GenerateRequest) -> dict[str, Setting]:
    """What a request brings, under the names of the signature's inputs."""
    given = {field.name: value for field, value in request.ListFields() if field.name not in ("model_spec", "stop")}
    # Fields of one value are told apart from those left out by their being there; a prompt may be empty.
    given.setdefault("prompt", "")
    if request.stop:
        given["stop"] = STOP_SEPARATOR.join(request.stop)
    return given
