"""What the HTTP port answers: the models' API, health, metrics, the list of models, the description of the API."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from serving.core.health import Health
from serving.core.metrics import Metrics
from serving.core.store import ModelStore
from serving.core.tokens import Tokens
from serving.errors import InternalFailureError, ServingError
from serving.rest.answer import JSON, Answer, of_error, of_json
from serving.rest.model_api import ModelApi
from serving.rest.routes import EmptyBodyError, is_api_path
from serving.settings import MonitoringSettings

_log = logging.getLogger("seqline.serving")

_OPENAPI = Path(__file__).with_name("openapi.json").read_bytes()
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
class Site:
    """Answers HTTP requests; knows no sockets.

    Attributes:
        api: Answers what concerns models.
        store: Listed by /seqline/models.
        health: Told by /healthz and /readyz.
        metrics: Shown on the page of metrics.
        monitoring: Where that page is.
        tokens: Who may ask; None for everybody. Health is open to all: a load balancer has no token.
        cors: Let web pages of other origins call the API.
    """

    api: ModelApi
    store: ModelStore
    health: Health
    metrics: Metrics
    monitoring: MonitoringSettings
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
            return self._open_to_pages(Answer(200 if known else 400, content_type=""))
        if self.tokens:
            try:
                self.tokens.check(request.headers.get("Authorization"))
            except ServingError as error:
                answer = of_error(error)
                return self._open_to_pages(answer) if is_api else answer
        return None if is_api else self._other(plain, request.path)

    async def answer(self, request: Head, body: bytes) -> Answer:
        """Answers one request to the models' API; never raises.

        Args:
            request: What was asked.
            body: Content as sent.
        """
        try:
            encoding = request.headers.get("Content-Encoding", "")
            answer = await self.api.answer(request.method, request.path, body, encoding)
        except EmptyBodyError:
            answer = Answer(400)
        except ServingError as error:
            answer = of_error(error)
        except Exception:
            # The text stays in the log: it may hold what is no client's business.
            _log.exception("a REST request failed in an unexpected way")
            answer = of_error(InternalFailureError("Internal error; the server's log has the details"))
        return self._open_to_pages(answer)

    def _open_to_pages(self, answer: Answer) -> Answer:
        """Lets a web page of another origin see the answer, where that is wanted."""
        return replace(answer, headers={**answer.headers, **_CORS}) if self.cors else answer

    def _other(self, plain: str, path: str) -> Answer:
        if self.monitoring.enabled and plain == self.monitoring.path:
            if plain != path:
                return Answer(400, f"Unexpected path: {path}. Should be {plain}".encode(), "text/plain")
            return Answer(200, self.metrics.render().encode(), "text/plain")
        if plain == "/seqline/models":
            return of_json({"models": self._models()})
        if plain == "/openapi.json":
            return Answer(200, _OPENAPI, JSON)
        return Answer(404, b"<html><head><title>404</title></head><body><h1>Not Found</h1></body></html>", "text/html")

    def _readiness(self, model: str) -> Answer:
        models = self.health.models()
        if model and model not in models:
            return of_json({"error": f"no model {model} is configured"}, 404)
        ready = models[model] if model else self.health.is_ready()
        shown = {model: ready} if model else models
        return of_json({"ready": ready, "models": shown}, 200 if ready else 503)

    def _models(self) -> list[dict[str, object]]:
        return [
            {
                "name": one.name,
                "base_path": one.base_path,
                "available_versions": one.available,
                "labels": one.labels,
                "complaints": one.complaints,
            }
            for one in self.store.summary()
        ]
