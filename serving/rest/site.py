"""What the HTTP port answers: the models' API, health, metrics, the list of models, the description of the API."""

import logging
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from serving.core.health import Health
from serving.core.metrics import Metrics
from serving.core.store import ModelStore
from serving.core.tokens import Tokens
from serving.errors import InternalFailureError, InvalidRequestError, ResourceExhaustedError, ServingError
from serving.rest.answer import JSON, Answer, of_error, of_json
from serving.rest.model_api import ModelApi
from serving.rest.routes import EmptyBodyError, is_api_path
from serving.settings import MonitoringSettings

_log = logging.getLogger("seqline.serving")

_OPENAPI = Path(__file__).with_name("openapi.json")
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}


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
        max_body_bytes: Largest body, unpacked.
    """

    api: ModelApi
    store: ModelStore
    health: Health
    metrics: Metrics
    monitoring: MonitoringSettings
    tokens: Tokens | None
    cors: bool
    max_body_bytes: int

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answers one request; never raises.

        Args:
            method: HTTP method.
            path: Path as sent, with its query.
            headers: By name, in any case.
            body: Content as sent.
        """
        try:
            answer = self._answer(method, path, headers, body)
        except EmptyBodyError:
            answer = Answer(400)
        except ServingError as error:
            answer = of_error(error)
        except Exception:
            # The text stays in the log: it may hold what is no client's business.
            _log.exception("a REST request failed in an unexpected way")
            answer = of_error(InternalFailureError("Internal error; the server's log has the details"))
        if self.cors and is_api_path(path) and method != "OPTIONS":
            answer = replace(answer, headers={**answer.headers, **_CORS})
        return answer

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        plain = path.partition("?")[0]
        if plain == "/healthz":
            return of_json({"live": True})
        if plain == "/readyz" or plain.startswith("/readyz/"):
            return self._readiness(plain.removeprefix("/readyz").removeprefix("/"))
        if is_api_path(path) and method == "OPTIONS":
            origin = headers.get("Origin", "")
            return Answer(200 if "http://" in origin or "https://" in origin else 400, content_type="")
        if self.tokens:
            self.tokens.check(headers.get("Authorization"))
        if is_api_path(path):
            return self.api.answer(method, path, self._unpack(headers, body))
        return self._other(plain, path)

    def _other(self, plain: str, path: str) -> Answer:
        if self.monitoring.enabled and plain == self.monitoring.path:
            if plain != path:
                raise InvalidRequestError(f"Unexpected path: {path}. Should be {plain}")
            return Answer(200, self.metrics.render().encode(), "text/plain")
        if plain == "/seqline/models":
            return of_json({"models": self._models()})
        if plain == "/openapi.json":
            return Answer(200, _OPENAPI.read_bytes(), JSON)
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

    def _unpack(self, headers: Mapping[str, str], body: bytes) -> bytes:
        if "gzip" not in headers.get("Content-Encoding", ""):
            return body
        inflater = zlib.decompressobj(wbits=31)
        try:
            unpacked = inflater.decompress(body, self.max_body_bytes)
        except zlib.error:
            return b""  # "the document is empty", says the reader, as TensorFlow Serving does
        if inflater.unconsumed_tail:
            raise too_large(self.max_body_bytes)
        return unpacked if inflater.eof else b""


def too_large(limit: int) -> ResourceExhaustedError:
    """The error of a body over the limit."""
    return ResourceExhaustedError(
        f"the request is larger than {limit} bytes, the limit of this server (serving.rest.max_body_bytes); send less "
        "at once, or use gRPC"
    )
