"""`/v1/completions` as OpenAI's API has it, for clients that speak it and no other.

What such a client may send and a model here cannot do is refused, not passed over; counts of the prompt's tokens, which
models do not tell, are left out.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from serving.core.store import ModelQuery
from serving.core.streaming.description import Setting
from serving.core.streaming.generator import STOP_SEPARATOR
from serving.core.streaming.stream import Piece
from serving.errors import InvalidRequestError, ServingError
from serving.front.streams import Streams
from serving.rest.answer import JSON, Answer, StreamedAnswer
from serving.rest.body import read_body
from serving.rest.generation_api import EVENTS
from serving.rest.status import http_status
from serving.settings import ServingSettings

PATH = "/v1/completions"
# Their name for a setting, and the model's; `top_k` is ours alone.
_SETTINGS = {
    "max_tokens": "max_length",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
}
# What may be sent if it asks for nothing that is not there.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "logprobs": (),
    "suffix": ("",),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "stream_options": ({}, {"include_usage": False}),
}
_IGNORED = ("user",)
# Their reasons to end; a stop string and the end of the text are one.
_REASONS = {"": None, "end": "stop", "stop": "stop", "length": "length"}


class CompletionsApi:
    """Answers texts that go on from prompts."""

    def __init__(self, streams: Streams, settings: ServingSettings) -> None:
        """Prepares the answers.

        Args:
            streams: Gives the pieces.
            settings: Time limit of an answer, largest body, longest text.
        """
        self._streams = streams
        self._settings = settings

    async def complete(self, body: bytes, encoding: str, version_header: str) -> Answer | StreamedAnswer:
        """Answers one request; a mistake in their form of one.

        Args:
            body: Content as sent.
            encoding: Its Content-Encoding.
            version_header: Header that tells the version.
        """
        try:
            # Which model is meant stands within.
            with self._streams.reading(""):
                query, given, prompts, in_pieces = await read_body(body, encoding, self._settings, _asked)
            limit = self._settings.rest.timeout_seconds
            deadline = time.monotonic() + limit if limit > 0 else float("inf")
            texts = [self._streams.generate(query, {**given, "prompt": prompt}, deadline) for prompt in prompts]
            if in_pieces:
                return await self._streamed(query.name, texts, version_header)
            return await self._whole(query.name, texts, version_header)
        except ServingError as error:
            return Answer(http_status(error), _dumped(_error(error)))

    async def _whole(self, model: str, texts: Sequence[AsyncGenerator], version_header: str) -> Answer:
        try:
            # Where one fails, the others end too.
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(_all(text)) for text in texts]
        except* ServingError as failed:
            raise failed.exceptions[0] from None
        choices = [
            _choice(index, "".join(piece.text for _, piece in pieces), pieces[-1][1].reason)
            for index, pieces in enumerate(task.result() for task in tasks)
        ]
        headers = {version_header: str(tasks[0].result()[0][0])}
        return Answer(200, _dumped({**_head(model), "choices": choices}), JSON, headers)

    async def _streamed(self, model: str, texts: Sequence[AsyncGenerator], version_header: str) -> StreamedAnswer:
        first = await anext(texts[0])
        headers = {version_header: str(first[0]), "Cache-Control": "no-store"}
        return StreamedAnswer(_events(_head(model), first[1], texts), EVENTS, headers)


async def _all(pieces: AsyncGenerator[tuple[int, Piece], None]) -> list[tuple[int, Piece]]:
    async with contextlib.aclosing(pieces):
        return [piece async for piece in pieces]


async def _events(
    head: Mapping[str, Any], first: Piece, texts: Sequence[AsyncGenerator]
) -> AsyncGenerator[bytes, None]:
    """Pieces as events, one text behind the other; what goes wrong in between is the last one."""
    async with contextlib.AsyncExitStack() as open_texts:
        for text in texts:
            await open_texts.enter_async_context(contextlib.aclosing(text))
        try:
            yield _event({**head, "choices": [_choice(0, first.text, first.reason)]})
            for index, text in enumerate(texts):
                async for _, piece in text:
                    yield _event({**head, "choices": [_choice(index, piece.text, piece.reason)]})
            yield b"data: [DONE]\n\n"
        except ServingError as error:
            yield _event(_error(error))


def _head(model: str) -> dict[str, Any]:
    return {"id": f"cmpl-{uuid.uuid4().hex}", "object": "text_completion", "created": int(time.time()), "model": model}


def _choice(index: int, text: str, reason: str) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": _REASONS[reason]}


def _error(error: ServingError) -> dict[str, Any]:
    kind = "invalid_request_error" if http_status(error) < 500 else "server_error"
    return {"error": {"message": str(error), "type": kind, "param": None, "code": None}}


def _event(content: Mapping[str, Any]) -> bytes:
    return b"data: " + _dumped(content) + b"\n\n"


def _dumped(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode(errors="surrogateescape")


def _asked(document: Mapping[str, Any]) -> tuple[ModelQuery, dict[str, Setting], list[str], bool]:
    """The model, settings, prompts, and whether the answer comes in pieces."""
    return _model(document), _settings(document), _prompts(document), bool(document.get("stream"))


def _model(document: Mapping[str, Any]) -> ModelQuery:
    name = document.get("model")
    if not isinstance(name, str) or not name:
        raise InvalidRequestError(f"model must name a served model, got {_shown(name)}")
    return ModelQuery(name)


def _prompts(document: Mapping[str, Any]) -> list[str]:
    prompt = document.get("prompt")
    prompts = [prompt] if isinstance(prompt, str) else prompt
    if not isinstance(prompts, list) or not prompts or not all(isinstance(each, str) for each in prompts):
        raise InvalidRequestError(f"prompt takes a text or a list of texts, got {_shown(prompt)}")
    return prompts


def _settings(document: Mapping[str, Any]) -> dict[str, Setting]:
    """What the request says of the drawing, by the model's names; null is as if it were not there."""
    given: dict[str, Setting] = {}
    for name, value in document.items():
        if value is None or name in ("model", "prompt", "stream", *_IGNORED):
            continue
        if name in _SETTINGS:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidRequestError(f"{name} takes a number, got {_shown(value)}")
            given[_SETTINGS[name]] = value
        elif name == "stop":
            given[name] = _stops(value)
        elif name not in _NEUTRAL:
            raise InvalidRequestError(f"{name:.100} is no setting of completions here; leave it out")
        elif value not in _NEUTRAL[name]:
            raise InvalidRequestError(f"{name} cannot be {_shown(value)} here; leave it out")
    return given


def _stops(value: Any) -> str:
    stops = [value] if isinstance(value, str) else value
    if not isinstance(stops, list) or not all(isinstance(each, str) for each in stops):
        raise InvalidRequestError(f"stop takes a text or a list of texts, got {_shown(value)}")
    return STOP_SEPARATOR.join(stops)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}..."
