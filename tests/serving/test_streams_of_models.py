"""Texts of real models, streamed and given at once: the same."""

import threading

import numpy as np
import pytest

from models.export import export
from serving.client import Client
from serving.server import Server
from serving.settings import ServingSettings
from tests.models.tasks.test_text_streams import DEFAULTS, RECURRENT, REQUESTS, built
from tests.serving.conftest import QUICK

pytestmark = pytest.mark.minutes


@pytest.fixture(scope="module", name="address")
def _address(tmp_path_factory):
    base = tmp_path_factory.mktemp("base")
    settings, vocabularies, model = built(RECURRENT, "byte")
    export(model, settings, vocabularies, str(base / "1"), {"code_version": "0", "metrics": {}})
    with Server("m", base, ServingSettings(**QUICK, streaming={"max_rows": 3})) as server:
        server.wait_until_available(60)
        yield server.address


def test_texts_streamed_beside_one_another_are_those_given_at_once(address):
    found: dict[int, tuple[str, str, float]] = {}

    def stream(number: int, prompt: str, settings: dict) -> None:
        given = {**DEFAULTS, **settings}
        given["stop"] = [each for each in given["stop"].split("\x1f") if each]
        with Client(address, "m") as client:
            pieces = list(client.stream(prompt, timeout=60, **given))
        found[number] = ("".join(piece.text for piece in pieces), pieces[-1].reason, pieces[-1].score)

    threads = [threading.Thread(target=stream, args=(number, *request)) for number, request in enumerate(REQUESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Client(address, "m") as client:
        for number, (prompt, settings) in enumerate(REQUESTS):
            inputs = {name: [value] for name, value in {"prompt": prompt, **DEFAULTS, **settings}.items()}
            inputs |= {name: np.array(inputs[name], np.int32) for name in ("top_k", "max_length", "seed")}
            at_once = client.predict(inputs, "generate")
            text, reason, score = found[number]
            assert (text, reason) == (at_once["text"][0].decode(), at_once["reason"][0].decode()), prompt
            assert score == pytest.approx(float(at_once["score"][0]), abs=1e-4)


def test_settings_that_a_request_does_not_bring_are_those_of_the_model(address):
    with Client(address, "m") as client:
        at_once = client.predict({"prompt": ["abc"]})
        pieces = list(client.stream("abc"))
    assert "".join(piece.text for piece in pieces) == at_once["text"][0].decode()
    assert pieces[-1].reason == at_once["reason"][0].decode()
