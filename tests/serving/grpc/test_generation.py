"""Answers piece by piece over gRPC, from a model that says its prompt."""

import threading
import time

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from serving.client import Client
from serving.errors import FailedPreconditionError, InvalidRequestError, NotFoundError, UnauthenticatedError
from tests.serving import saved_models
from tests.serving.conftest import eventually, refused
from tests.serving.echo import Echo


@pytest.fixture(name="echo", scope="module")
def _echo(tmp_path_factory):
    echo = Echo()
    echo.folders = [echo.save(tmp_path_factory.mktemp("echo") / suffix, suffix) for suffix in ("1", "2")]
    return echo


@pytest.fixture(name="fresh")
def _fresh(echo, base):
    """The model, published as version 1, with nothing held."""
    saved_models.publish(echo.folders[0], base, 1)
    echo.steps.clear()
    yield echo
    echo.let_all()
    while echo.turns.acquire(blocking=False):
        continue


class Generation:
    """A stub made of what the server tells of itself."""

    def __init__(self, channel: grpc.Channel) -> None:
        pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName("seqline.serving.GenerationService").FindMethodByName("Generate")
        assert method.server_streaming and not method.client_streaming
        self.request = message_factory.GetMessageClass(method.input_type)
        self._call = channel.unary_stream(
            "/seqline.serving.GenerationService/Generate",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )

    def __call__(self, prompt: str, timeout: float = 15, name: str = "m", **settings):
        request = self.request(prompt=prompt, **settings)
        request.model_spec.name = name
        return self._call(request, timeout=timeout)


def said(pieces) -> tuple[str, str]:
    pieces = list(pieces)
    return "".join(piece.text for piece in pieces), pieces[-1].reason


def test_stubs_made_of_reflection_get_an_answer_piece_by_piece(serve, fresh):
    _, stub = serve()
    pieces = list(Generation(stub.channel)("héllo"))
    assert said(pieces) == ("héllo1", "end")
    assert (pieces[-1].num_tokens, pieces[-1].score) == (6, -6.0)
    assert {(piece.model_spec.name, piece.model_spec.version.value) for piece in pieces} == {("m", 1)}


def test_our_client_streams_with_settings(serve, fresh):
    server, _ = serve()
    with Client(server.address, "m") as client:
        pieces = list(client.stream("one two", stop=[" t"]))
        assert ("".join(piece.text for piece in pieces), pieces[-1].reason) == ("one", "stop")
        assert said(client.stream("o one two", stop="two")) == ("o one ", "stop")
        assert [piece.reason for piece in client.stream("abc", max_length=2)][-1] == "length"
        with pytest.raises(InvalidRequestError, match="leave out top_k"):
            list(client.stream("abc", top_k=3))
        with pytest.raises(NotFoundError, match="Servable not found"):
            list(client.at(version=7).stream("abc"))
        with pytest.raises(NotFoundError):
            list(client.at(model_name="other").stream("abc"))


def test_a_model_without_such_signatures_says_so(serve, base, exported):
    saved_models.publish(exported / "line2", base, 1)
    server, _ = serve()
    with Client(server.address, "m") as client, pytest.raises(FailedPreconditionError, match="Predict"):
        list(client.stream("abc"))


def test_a_client_that_goes_frees_its_row_at_once(serve, fresh):
    server, _ = serve(streaming={"max_rows": 1})
    fresh.is_held = True
    with Client(server.address, "m") as client:
        pieces = client.stream("a" * 90)
        fresh.let(2)
        next(pieces)
        pieces.close()
        time.sleep(0.3)
        before = len(fresh.steps)
        fresh.let_all()
        assert "".join(piece.text for piece in client.stream("bc")) == "bc1"
        assert sum(step == ["a" * 90 + "1"] for step in fresh.steps[before:]) == 0
    eventually(lambda: not server._ports.grpc.places.taken)


def test_two_hundred_streams_at_once_are_each_right(serve, fresh):
    _, stub = serve()
    generate = Generation(stub.channel)
    prompts = [f"{number} " * (1 + number % 9) for number in range(200)]
    calls = [generate(prompt, timeout=60) for prompt in prompts]
    for prompt, call in zip(prompts, calls, strict=True):
        assert said(call) == (prompt + "1", "end")
    assert max(len(step) for step in fresh.steps) == 32


def test_one_stream_more_than_may_wait_is_refused(serve, fresh):
    _, stub = serve(streaming={"max_rows": 1, "max_waiting": 0})
    fresh.is_held = True
    generate = Generation(stub.channel)
    first = generate("abc")
    eventually(lambda: fresh.steps)
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        list(generate("def"))
    fresh.let_all()
    assert said(first) == ("abc1", "end")


@pytest.mark.parametrize("limit", ["deadline", "request_timeout_seconds"])
def test_a_text_that_takes_too_long_ends_with_an_error_and_frees_its_row(serve, fresh, limit):
    server, stub = serve(request_timeout_seconds=0.5 if limit == "request_timeout_seconds" else 0)
    fresh.is_held = True
    call = Generation(stub.channel)("abc", timeout=0.5 if limit == "deadline" else 15)
    with refused(grpc.StatusCode.DEADLINE_EXCEEDED):
        list(call)
    fresh.let_all()
    eventually(lambda: "stream_rows" in server.metrics.render() and not server._generator._batches)
    assert 'reason="cancelled"} 1' in server.metrics.render()


def test_streams_end_on_the_version_that_they_began_on(serve, base, fresh):
    _, stub = serve()
    fresh.is_held = True
    generate = Generation(stub.channel)
    old = generate("abc")
    eventually(lambda: fresh.steps)
    saved_models.publish(fresh.folders[1], base, 2)
    eventually(lambda: stub.states().get(2) == "AVAILABLE" and stub.states().get(1) == "UNLOADING")
    new = generate("abc")
    eventually(lambda: len(fresh.steps) == 2)
    fresh.is_held = False
    fresh.let(2)
    old, new = list(old), list(new)
    assert (said(old), old[0].model_spec.version.value) == (("abc1", "end"), 1)
    assert (said(new), new[0].model_spec.version.value) == (("abc2", "end"), 2)
    eventually(lambda: stub.states().get(1) == "END")


def test_a_stop_lets_streams_end_within_the_grace(serve, fresh):
    server, stub = serve(grace_seconds=10)
    fresh.is_held = True
    call = Generation(stub.channel)("abc")
    eventually(lambda: fresh.steps)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    time.sleep(0.5)
    fresh.let_all()
    assert said(call) == ("abc1", "end")
    stopping.join(10)


def test_what_outlasts_the_grace_is_cut_off(serve, fresh):
    server, stub = serve()
    fresh.is_held = True
    call = Generation(stub.channel)("a" * 50)
    fresh.let(3)
    next(call)
    started = time.monotonic()
    timer = threading.Timer(1.0, fresh.let_all)
    timer.start()
    server.stop(0.3)
    assert time.monotonic() - started < 6
    with pytest.raises(grpc.RpcError):
        list(call)


def test_a_stream_needs_a_token_where_there_are_tokens(serve, fresh, tmp_path):
    (tmp_path / "tokens").write_text("secret\n")
    server, _ = serve(security={"token_file": str(tmp_path / "tokens")})
    with Client(server.address, "m") as client, pytest.raises(UnauthenticatedError):
        list(client.stream("abc"))
    with Client(server.address, "m", token="secret") as client:
        assert "".join(piece.text for piece in client.stream("abc")) == "abc1"


def test_bytes_that_are_no_message_are_refused(serve, fresh):
    _, stub = serve()
    call = stub.channel.unary_stream("/seqline.serving.GenerationService/Generate")
    with refused(grpc.StatusCode.INTERNAL):
        list(call(b"\xff\xff", timeout=5))
    with refused(grpc.StatusCode.INVALID_ARGUMENT, "Missing ModelSpec"):
        list(call(b"", timeout=5))


def test_streams_are_counted_as_requests(serve, fresh):
    server, stub = serve()
    list(Generation(stub.channel)("abc"))
    page = server.metrics.render()
    assert ':tensorflow:serving:request_count{model_name="m",status="OK"} 1' in page
    assert ':seqline:serving:first_piece_latency_count{model_name="m"} 1' in page
