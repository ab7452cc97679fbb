"""Puts the parts of the HTTP port together."""

from serving.core.health import Health
from serving.core.metrics import Metrics
from serving.core.predict import Predictor
from serving.core.request_log import RequestLog
from serving.core.store import ModelStore
from serving.core.tokens import Tokens
from serving.errors import ServerStartError
from serving.front.limits import Places
from serving.front.loop import event_loop
from serving.front.work import Work
from serving.rest.listener import RestListener
from serving.rest.model_api import ModelApi
from serving.rest.site import Site
from serving.settings import ServingSettings
from serving.tls.key_file import KeyFile
from serving.tls.ports import ssl_context


def make_rest_listener(
    store: ModelStore,
    predictor: Predictor,
    settings: ServingSettings,
    metrics: Metrics,
    request_log: RequestLog,
    health: Health,
    keys: KeyFile | None,
) -> RestListener:
    """The HTTP port of a server, not yet open.

    Raises:
        ServerStartError: Tokens cannot be used, or there are no keys for an encrypted port.
    """
    rest, security = settings.rest, settings.security
    message = f"the server handles {settings.max_concurrent_requests} requests already; try again in a moment"
    places = Places(settings.max_concurrent_requests, message)
    work = Work(predictor.runner, rest.max_threads, places, event_loop())
    site = Site(
        ModelApi(store, predictor, metrics, request_log, rest, work),
        store,
        health,
        metrics,
        settings.monitoring,
        Tokens(security.token_file) if security.token_file else None,
        rest.cors,
    )
    tls = ssl_context(_required(keys)) if rest.tls else None
    return RestListener(site, settings, work, tls)


def _required(keys: KeyFile | None) -> KeyFile:
    if keys is None:
        raise ServerStartError(
            "rest.tls needs the keys of security.ssl_config_file (--ssl_config_file), which is not set; set it, or "
            "leave rest.tls out"
        )
    return keys
