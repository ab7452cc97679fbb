"""Asks a running server, and words its answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.config import Config
from pipeline.errors import ServerNotReadyError
from serving.errors import NotFoundError, ServingError

if TYPE_CHECKING:
    from serving.client import Client

SECONDS_TO_ANSWER = 30.0


def ask(config: Config, texts: Sequence[str], port: int | None = None) -> list[str]:
    """Sends the texts in one request over gRPC; returns one line for each.

    Args:
        config: names the model and the address.
        texts: what a person would write.
        port: where it is not the configured one.
    """
    with _client(config, port) as client:
        try:
            if config.task == "text_classification":
                return [_scored(answer.label, answer.scores) for answer in client.classify_texts(texts)]
            return [answer.target for answer in client.transform_texts(texts)]
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


def _client(config: Config, port: int | None) -> "Client":
    # The protocol's message classes take seconds to import.
    from serving.client import Client

    return Client(f"{config.serving.host}:{port or config.serving.port}", config.name, timeout=SECONDS_TO_ANSWER)


def _scored(label: str, scores: dict[str, float]) -> str:
    best = sorted(scores.items(), key=lambda item: -item[1])[:5]
    return f"{label}  ({', '.join(f'{name} {score:.3f}' for name, score in best)})"
