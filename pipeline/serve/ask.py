"""Asks a running server by the signatures that it describes, and words its answers."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.requests import Row, form_inputs, length_inputs
from models.features import learned_features
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.errors import ConfigError, ServerNotReadyError
from pipeline.serve.answers import render
from pipeline.serve.inputs import read
from pipeline.serve.options import read_options
from pipeline.serve.signatures import NOTHING_ASKED, ServedSignature, asked_features, choose, served_signatures
from serving.client import Client
from serving.core.tokens import read_tokens
from serving.errors import InvalidRequestError, NotFoundError, ServingError
from serving.front.addresses import host_and_port
from serving.wire.connection import Tls

SECONDS_TO_ANSWER = 30.0
_UNKNOWN_VALUE = re.compile(r"\[(\w+) must be one of: (.*?)\. Received another")


def ask(
    config: Config,
    texts: Sequence[str],
    port: int | None = None,
    options: Mapping[str, str] | None = None,
    out: Path = Path("clip.wav"),
) -> list[str]:
    """Asks over gRPC; returns one answer for each text, or one where nothing is asked about.

    Args:
        config: names the model and the address.
        texts: what a person would write, or names of files where the model takes no texts.
        port: where it is not the configured one.
        options: settings of the request and labels that steer it, by name, as typed.
        out: the file for an answer that is none to read; several are numbered.

    Raises:
        ConfigError: the model cannot be asked so, or a file cannot be read or written.
        ServerNotReadyError: the server does not serve this model.
    """
    given = read_options(config, options or {})
    # What encodes reads something; no server need be asked for that.
    if not texts and not given and "encoder" in TASKS[config.task].roles:
        raise ConfigError(NOTHING_ASKED)
    with asking(config, port) as client:
        signature = choose(served_signatures(client), config, given, bool(texts))
        rows = [{**given, **row} for row in _rows(config, signature, given, texts)]
        outs = [out] if len(rows) == 1 else [out.with_stem(f"{out.stem}-{i}") for i in range(1, len(rows) + 1)]
        return ask_rows(client, config, signature, rows, outs)


def _rows(config: Config, signature: ServedSignature, given: Mapping[str, Any], texts: Sequence[str]) -> list[Row]:
    if not texts:
        return [{}]
    [(name, feature)] = asked_features(signature, config, given).items()
    return [{name: read(feature, text, config)} for text in texts]


def ask_rows(
    client: Client, config: Config, signature: ServedSignature, rows: Sequence[Row], outs: Sequence[Path]
) -> list[str]:
    """Asks about rows that are no texts any more; returns an answer for each.

    Args:
        client: of the model.
        config: its configuration, which says what the rows leave open.
        signature: to ask.
        rows: input name to value; labels may be left out, and stay open.
        outs: files for the answers, one for each row.
    """
    task = TASKS[config.task]
    settings = {setting.name: setting.default_in(config) for setting in task.request_settings}
    open_labels = dict.fromkeys(learned_features(task.features, "categories"), "")
    # What is padded is large: together each would be as large as the largest.
    size = 1 if length_inputs(signature.inputs, task.features) else len(rows)
    answers = []
    for start in range(0, len(rows), size):
        batch = [open_labels | dict(row) for row in rows[start : start + size]]
        inputs = form_inputs(signature.inputs, batch, task.features, settings)
        if inputs is None:
            raise ConfigError(f"what was given does not fit signature {signature.name} of {config.name}")
        outputs = _predict(client, signature.name, inputs)
        for index, out in enumerate(outs[start : start + size]):
            asked, answer = ({name: values[index] for name, values in each.items()} for each in (inputs, outputs))
            answers.append(render(asked, answer, out))
    return answers


def _predict(client: Client, signature: str, inputs: dict[str, Any]) -> dict[str, Any]:
    try:
        return client.predict(inputs, signature)
    except InvalidRequestError as error:
        # The sentence of the graph, without TensorFlow's account of the place.
        if not (rule := _UNKNOWN_VALUE.search(str(error))) or rule[1] not in inputs:
            raise
        received = ", ".join(sorted({value.decode("utf-8", "replace") for value in inputs[rule[1]]}))
        raise ConfigError(f"--{rule[1]} must be one of: {rule[2]}. Received: {received}") from error


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
    address = host_and_port(config.serving.host, port or config.serving.port)
    security = config.serving.security
    tls, token = None, ""
    if security.ssl_config_file:
        from serving.tls.keys import read_keys  # as slow to import as it is rarely needed

        keys = read_keys(security.ssl_config_file)
        pair = (keys.certificate, keys.key) if keys.client_verify else (None, None)
        tls = Tls(keys.authority or keys.certificate, *pair)
    if security.token_file:
        token = read_tokens(security.token_file)[0].decode()
    return Client(address, config.name, timeout=SECONDS_TO_ANSWER, tls=tls, token=token)
