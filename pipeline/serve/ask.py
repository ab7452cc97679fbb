"""Asks a running server, and words its answers."""

import contextlib
from collections.abc import Iterator, Sequence

from pipeline.config.config import Config
from pipeline.errors import ServerNotReadyError
from serving.client import Client
from serving.core.tokens import read_tokens
from serving.errors import NotFoundError, ServingError
from serving.wire.connection import Tls

SECONDS_TO_ANSWER = 30.0


def ask(config: Config, texts: Sequence[str], port: int | None = None) -> list[str]:
    """Sends the texts in one request over gRPC; returns one line for each.

    Args:
        config: names the model and the address.
        texts: what a person would write.
        port: where it is not the configured one.
    """
    with asking(config, port) as client:
        if config.task == "text_classification":
            return [scored(answer.label, answer.scores) for answer in client.classify_texts(texts)]
        return [answer.target for answer in client.transform_texts(texts)]


@contextlib.contextmanager
def asking(config: Config, port: int | None = None) -> Iterator[Client]:
    """A client of the configuration's server.

    Raises:
        ServerNotReadyError: the server does not serve this model.
    """
    with _client(config, port) as client:
        try:
            yield client
        except NotFoundError as error:
            raise ServerNotReadyError(
                f"The server answers, but does not serve {config.name}: {error}. If it has just started, wait a "
                "moment; else compare the name of its model with this configuration"
            ) from error


def is_available(config: Config, port: int) -> bool:
    """Whether a version of the model answers requests there."""
    with _client(config, port) as client:
        try:
            return any(version.state == "AVAILABLE" for version in client.status(timeout=5.0))
        except ServingError:
            return False


def _client(config: Config, port: int | None) -> Client:
    """A client that shows and trusts what the server of the same configuration asks for and has."""
    address = f"{config.serving.host}:{port or config.serving.port}"
    security = config.serving.security
    tls, token = None, ""
    if security.ssl_config_file:
        from serving.credentials import read_ssl_config  # needs TensorFlow's messages, which take seconds to import

        keys = read_ssl_config(security.ssl_config_file)
        pair = (keys.server_cert.encode(), keys.server_key.encode()) if keys.client_verify else (None, None)
        tls = Tls((keys.custom_ca or keys.server_cert).encode(), *pair)
    if security.token_file:
        token = read_tokens(security.token_file)[0].decode()
    return Client(address, config.name, timeout=SECONDS_TO_ANSWER, tls=tls, token=token)


def scored(label: str, scores: dict[str, float]) -> str:
    """A label with the best scores, as a person reads them."""
    best = sorted(scores.items(), key=lambda item: -item[1])[:5]
    return f"{label}  ({', '.join(f'{name} {score:.3f}' for name, score in best)})"
