"""`/v1/completions`, asked by the package of those who made it."""

import json
import threading
from concurrent import futures

import openai
import pytest

from serving.rest import body
from serving.rest.json_reader import read_object
from tests.serving.conftest import eventually
from tests.serving.echo import Echo
from tests.serving.rest.echo_server import echo_server
from tests.serving.rest.http_call import call


@pytest.fixture(scope="module", name="echo")
def _echo():
    return Echo()


@pytest.fixture(scope="module", name="server")
def _server(echo, tmp_path_factory):
    with echo_server(echo, tmp_path_factory.mktemp("echo")) as server:
        yield server


@pytest.fixture(name="client")
def _client(server):
    with openai.OpenAI(base_url=f"http://{server.rest_address}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_one_prompt(client):
    answer = client.completions.create(model="m", prompt="héllo", max_tokens=4)
    assert (answer.object, answer.model, answer.id[:5]) == ("text_completion", "m", "cmpl-")
    [choice] = answer.choices
    assert (choice.index, choice.text, choice.finish_reason) == (0, "héll", "length")


def test_several_prompts_and_stop_strings(client):
    answer = client.completions.create(model="m", prompt=["one two", "three"], stop=[" t"], max_tokens=20)
    assert [(one.index, one.text, one.finish_reason) for one in answer.choices] == [
        (0, "one", "stop"),
        (1, "three", "stop"),
    ]


def test_texts_come_piece_by_piece(client, echo):
    pieces = list(client.completions.create(model="m", prompt=["one two", "é"], stop=" t", stream=True))
    assert len({piece.id for piece in pieces}) == 1
    for index, (text, reason) in enumerate([("one", "stop"), ("é", "stop")]):
        choices = [choice for piece in pieces for choice in piece.choices if choice.index == index]
        assert "".join(choice.text for choice in choices) == text
        assert [choice.finish_reason for choice in choices if choice.finish_reason] == [reason]


def test_a_large_body_is_read_beside_what_else_is_asked(server, monkeypatch):
    is_reading, is_told = threading.Event(), threading.Event()

    def read_slowly(content: bytes):
        is_reading.set()
        assert is_told.wait(5), "nothing else was answered meanwhile"
        return read_object(content)

    monkeypatch.setattr(body, "read_object", read_slowly)
    with futures.ThreadPoolExecutor(1) as pool:
        asked = {"model": "m", "prompt": "a" * 5000, "max_tokens": 2}
        large = pool.submit(call, server, "POST", "/v1/completions", asked)
        assert is_reading.wait(10)
        assert call(server, "GET", "/v1/models/m").status == 200
        is_told.set()
        assert large.result().json["choices"][0]["text"] == "aa"


def test_a_body_that_no_text_needs_is_refused(server):
    reply = call(server, "POST", "/v1/completions", b" " * 10_100_000)
    assert (reply.status, "max_string_bytes" in reply.json["error"]["message"]) == (400, True)


def test_a_stream_that_is_closed_frees_its_row(client, echo, server):
    echo.is_held = True
    echo.let(2)
    stream = client.completions.create(model="m", prompt="a long text", stream=True)
    assert next(iter(stream)).choices[0].text
    stream.close()
    echo.let_all()
    eventually(
        lambda: (
            'stream_rows{model_name="m"} 0' in server.metrics.render() or "stream_rows{" not in server.metrics.render()
        )
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"n": 2}, "n cannot be 2 here; leave it out"),
        ({"logprobs": 1}, "logprobs cannot be 1 here"),
        ({"echo": True}, "echo cannot be true here"),
        ({"temperature": 0.5}, "leave out temperature"),
        ({"prompt": "!no"}, "no !"),
        ({"extra_body": {"colour": "red"}}, "colour is no setting of completions here"),
        ({"extra_body": {"seed": "one"}}, 'seed takes a number, got "one"'),
        ({"prompt": []}, "prompt takes a text or a list of texts"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_told_in_their_form(client, request_, message, stream):
    with pytest.raises(openai.BadRequestError) as refusal:
        client.completions.create(**{"model": "m", "prompt": "x", "stream": stream} | request_)
    assert message in refusal.value.body["message"]
    assert refusal.value.body["type"] == "invalid_request_error"


def test_what_asks_for_nothing_is_accepted(client):
    neutral = {"n": 1, "echo": False, "presence_penalty": 0, "logprobs": None, "user": "me"}
    assert client.completions.create(model="m", prompt="ab", **neutral).choices[0].text == "ab"


def test_a_model_that_is_not_served(client, server):
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="other", prompt="x")
    reply = call(server, "POST", "/v1/completions", {"prompt": "x"})
    assert (reply.status, json.loads(reply.body)["error"]["message"]) == (
        400,
        "model must name a served model, got null",
    )
    assert call(server, "GET", "/v1/completions").status == 400
