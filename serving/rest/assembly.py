"""Puts what the HTTP port answers together."""

from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore
from serving.core.streaming.generator import Generator
from serving.front.limits import Places
from serving.front.loop import event_loop
from serving.front.streams import Streams
from serving.front.work import Work
from serving.ports import Ports
from serving.rest.completions_api import CompletionsApi
from serving.rest.generation_api import GenerationApi
from serving.rest.model_api import ModelApi
from serving.rest.site import Site
from serving.settings import ServingSettings


def make_site(
    store: ModelStore,
    predictor: Predictor,
    settings: ServingSettings,
    metrics: Metrics,
    request_log: RequestLog,
    ports: Ports,
    generator: Generator,
) -> tuple[Site, Work]:
    """What is answered over HTTP; and what models run by for it."""
    message = f"the server handles {settings.max_concurrent_requests} requests already; try again in a moment"
    places = Places(settings.max_concurrent_requests, message)
    work = Work(predictor.runner, settings.rest.max_threads, places, event_loop())
    streams = Streams(generator, store, metrics, places, "REST")
    generation, completions = GenerationApi(streams, settings), CompletionsApi(streams, settings)
    api = ModelApi(store, predictor, metrics, request_log, settings.rest, work, generation, completions)
    return Site(ports.health, ports.tokens, settings.rest.cors, api, store, metrics, settings.monitoring), work
