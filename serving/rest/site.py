"""What the HTTP port answers: the models' API, health, metrics, the list of models, the description of the API."""

import logging
from dataclasses import dataclass
from pathlib import Path

from serving.core.metrics import Metrics
from serving.core.store import ModelStore
from serving.errors import InternalFailureError, ServingError
from serving.rest.answer import JSON, Answer, StreamedAnswer, of_error, of_json
from serving.rest.lobby import Head, Lobby
from serving.rest.model_api import ModelApi
from serving.rest.routes import EmptyBodyError
from serving.settings import MonitoringSettings

_log = logging.getLogger("seqline.serving")

_OPENAPI = Path(__file__).with_name("openapi.json").read_bytes()


@dataclass(frozen=True)
class Site(Lobby):
    """Answers HTTP requests; knows no sockets.

    Attributes:
        api: Answers what concerns models.
        store: Listed by /seqline/models.
        metrics: Shown on the page of metrics.
        monitoring: Where that page is.
    """

    api: ModelApi
    store: ModelStore
    metrics: Metrics
    monitoring: MonitoringSettings

    async def answer(self, request: Head, body: bytes) -> Answer | StreamedAnswer:
        """Answers one request to the models' API; never raises."""
        try:
            encoding = request.headers.get("Content-Encoding", "")
            return self.open_to_pages(await self.api.answer(request.method, request.path, body, encoding))
        except EmptyBodyError:
            answer = Answer(400)
        except ServingError as error:
            answer = of_error(error)
        except Exception:
            # The text stays in the log: it may hold what is no client's business.
            _log.exception("a REST request failed in an unexpected way")
            answer = of_error(InternalFailureError("Internal error; the server's log has the details"))
        return self.open_to_pages(answer)

    def other(self, plain: str, path: str) -> Answer:
        """Answers what is neither health nor the models' API."""
        if self.monitoring.enabled and plain == self.monitoring.path:
            if plain != path:
                return Answer(400, f"Unexpected path: {path}. Should be {plain}".encode(), "text/plain")
            return Answer(200, self.metrics.render().encode(), "text/plain")
        if plain == "/seqline/models":
            return of_json({"models": self._models()})
        if plain == "/openapi.json":
            return Answer(200, _OPENAPI, JSON)
        return Answer(404, b"<html><head><title>404</title></head><body><h1>Not Found</h1></body></html>", "text/html")

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
