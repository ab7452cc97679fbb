"""What the HTTP port answers without models: health, and everybody who has to be sent away."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from serving.core.health import Health
from serving.core.tokens import Tokens
from serving.errors import STARTING, ServingError, UnavailableError
from serving.rest.answer import Answer, StreamedAnswer, of_error, of_json
from serving.rest.routes import is_api_path

AnyAnswer = TypeVar("AnyAnswer", bound=Answer | StreamedAnswer)
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


@dataclass(frozen=True)
class Head:
    """What a request says before its body.

    Attributes:
        method: HTTP method.
        path: Path as sent, with its query.
        headers: By name, in any case.
    """

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Lobby:
    """Answers HTTP requests while there is nothing behind it yet; knows no sockets.

    Attributes:
        health: Told by /healthz and /readyz.
        tokens: Who may ask; None for everybody. Health is open to all: a load balancer has no token.
        cors: Let web pages of other origins call the API.
    """

    health: Health
    tokens: Tokens | None
    cors: bool

    def early(self, request: Head) -> Answer | None:
        """Answers at once what needs no body and no model; None for a request to the models' API.

        Args:
            request: What was asked.
        """
        plain = request.path.partition("?")[0]
        if plain == "/healthz":
            return of_json({"live": True})
        if plain == "/readyz" or plain.startswith("/readyz/"):
            return self._readiness(plain.removeprefix("/readyz").removeprefix("/"))
        is_api = is_api_path(request.path)
        if is_api and request.method == "OPTIONS":
            origin = request.headers.get("Origin", "")
            known = "http://" in origin or "https://" in origin
            return self.open_to_pages(Answer(200 if known else 400, content_type=""))
        if self.tokens:
            try:
                self.tokens.check(request.headers.get("Authorization"))
            except ServingError as error:
                answer = of_error(error)
                return self.open_to_pages(answer) if is_api else answer
        return None if is_api else self.other(plain, request.path)

    async def answer(self, request: Head, body: bytes) -> Answer | StreamedAnswer:
        """Answers one request to the models' API; never raises.

        Args:
            request: What was asked.
            body: Content as sent.
        """
        return self.open_to_pages(of_error(UnavailableError(STARTING)))

    def other(self, plain: str, path: str) -> Answer:
        """Answers what is neither health nor the models' API.

        Args:
            plain: The path without its query.
            path: The path with it.
        """
        return of_error(UnavailableError(STARTING))

    def open_to_pages(self, answer: AnyAnswer) -> AnyAnswer:
        """Lets a web page of another origin see the answer, where that is wanted."""
        return replace(answer, headers={**answer.headers, **_CORS}) if self.cors else answer

    def _readiness(self, model: str) -> Answer:
        models = self.health.models()
        if model and model not in models:
            return of_json({"error": f"no model {model} is configured"}, 404)
        ready = models[model] if model else self.health.is_ready()
        shown = {model: ready} if model else models
        return of_json({"ready": ready, "models": shown}, 200 if ready else 503)
