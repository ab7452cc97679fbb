"""Texts that join and leave a running batch, without a transport."""

import contextlib
import queue
import threading
import time

import pytest

from serving.core.metrics import Metrics
from serving.core.servable import Servable
from serving.core.streaming.generator import Generator
from serving.core.streaming.programs import StreamPrograms
from serving.core.streaming.rows import StackedRows
from serving.core.streaming.stream import Stream, settled
from serving.errors import (
    FailedPreconditionError,
    InternalFailureError,
    InvalidRequestError,
    ResourceExhaustedError,
    ServingError,
    UnavailableError,
)
from serving.settings import ServingSettings
from tests.serving.conftest import eventually
from tests.serving.echo import Echo

DEADLINE = 15.0


class Reader:
    """Asks, and reads when the test says so."""

    def __init__(self, generator: Generator, servable: Servable, prompt: str, **settings) -> None:
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.pieces: list[str] = []
        self.is_released = False
        held = contextlib.ExitStack()
        held.callback(lambda: setattr(self, "is_released", True))
        given = {"prompt": prompt, **settings}
        self.stream: Stream = generator.begin("m", servable, given, lambda: self._news.put(None), held)

    def next(self):
        while (piece := self.stream.take()) is None:
            self._news.get(timeout=DEADLINE)
        self.pieces.append(piece.text)
        return piece

    def end(self) -> tuple[str, str]:
        """The whole text, and why it ends."""
        while not (piece := self.next()).reason:
            continue
        return "".join(self.pieces), piece.reason


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory):
    echo = Echo()
    servable = Servable(echo.save(tmp_path_factory.mktemp("echo") / "model"))
    yield echo, servable
    servable.close()


@pytest.fixture(name="make")
def _make(model):
    echo, servable = model
    with contextlib.ExitStack() as stack:

        def make(metrics: Metrics | None = None, **settings):
            echo.steps.clear()
            echo.rows.clear()
            generator = Generator(ServingSettings(streaming=settings), metrics or Metrics())
            stack.callback(generator.stop)
            stack.callback(echo.let_all)
            return generator, echo, lambda *arguments, **given: Reader(generator, servable, *arguments, **given)

        yield make
    while echo.turns.acquire(blocking=False):
        continue


def hold(echo: Echo) -> None:
    echo.is_held = True


def test_a_text_comes_piece_by_piece_and_says_why_it_ends(make):
    _, echo, ask = make()
    hold(echo)
    reader = ask("héj")
    echo.let(1)
    first = reader.next()
    assert (first.text, first.reason, first.num_tokens, first.score) == ("h", "", 1, -1.0)
    echo.let(1)
    assert reader.next().text == "é"
    echo.let(1)
    assert reader.end() == ("héj", "end")
    eventually(lambda: reader.is_released)


def test_texts_join_and_leave_between_steps(make):
    _, echo, ask = make()
    hold(echo)
    first = ask("abcdef")
    echo.let(2)
    eventually(lambda: len(echo.steps) == 3)
    second = ask("xy")
    time.sleep(0.2)
    echo.let_all()
    assert second.end() == ("xy", "end")
    assert first.end() == ("abcdef", "end")
    alone = [step for step in echo.steps if step == ["abcdef"]]
    # The prompt of the second is read while the third step of the first runs.
    together = [step for step in echo.steps if step == ["abcdef", "xy"]]
    assert (len(alone), len(together)) == (4, 2)


def test_many_texts_of_mixed_lengths_are_each_right(make):
    _, echo, ask = make(max_rows=5)
    prompts = [chr(97 + number % 26) * (1 + number * 7 % 23) + "é" for number in range(60)]
    readers = [ask(prompt, max_length=20) for prompt in prompts]
    for prompt, reader in zip(prompts, readers, strict=True):
        assert reader.end() == (prompt[:20], "length" if len(prompt) >= 20 else "end")
    assert max(len(step) for step in echo.steps) == 5
    assert max(echo.rows) == 5


def test_the_batch_has_no_more_rows_than_it_needs(make):
    _, echo, ask = make()
    assert ask("lonely").end() == ("lonely", "end")
    assert set(echo.rows) == {1}
    hold(echo)
    echo.rows.clear()
    readers = [ask("x" * length) for length in (30, 2, 2, 2, 2, 2, 2, 2)]
    echo.let_all()
    for reader in readers:
        reader.end()
    assert max(echo.rows) <= 8
    assert echo.rows[-1] < 4


def test_nothing_that_may_become_a_stop_string_is_told(make):
    _, echo, ask = make()
    assert ask("one two", stop=" t").end() == ("one", "stop")
    reader = ask("a b c", stop=" x")
    assert reader.end() == ("a b c", "end")
    assert not any(piece.endswith(" ") for piece in reader.pieces)


@pytest.mark.parametrize(
    ("text", "stops", "told"),
    [
        ("abc", [], "abc"),
        ("abc", ["cd"], "ab"),
        ("abab", ["abac", "b!"], "ab"),
        ("abab", ["ababc"], ""),
        ("abc", ["x", "abd"], "abc"),
    ],
)
def test_the_longest_beginning_of_a_stop_string_is_held_back(text, stops, told):
    assert settled(text, stops) == told


def test_who_is_gone_frees_the_row_before_the_next_step(make):
    _, echo, ask = make(max_rows=1)
    hold(echo)
    first, second = ask("a" * 50), ask("bc")
    echo.let(3)
    eventually(lambda: len(echo.steps) == 4)
    first.stream.cancel()
    echo.let_all()
    assert second.end() == ("bc", "end")
    assert first.is_released
    assert sum(step == ["a" * 50] for step in echo.steps) == 4


def test_a_slow_reader_holds_nobody_up_and_finds_all_at_once(make):
    _, _, ask = make()
    slow, quick = ask("slow text"), ask("quick text")
    assert quick.end() == ("quick text", "end")
    eventually(lambda: slow.is_released)
    assert slow.next().text == "slow text"


def test_more_texts_than_may_wait_are_refused(make):
    _, echo, ask = make(max_rows=1, max_waiting=1)
    hold(echo)
    readers = [ask("abc")]
    eventually(lambda: echo.steps)
    readers.append(ask("def"))
    with pytest.raises(ResourceExhaustedError, match=r"1 texts are written and 1 wait.*max_waiting"):
        ask("ghi")
    readers[1].stream.cancel()
    readers.append(ask("jkl"))
    echo.let_all()
    assert (readers[0].end()[0], readers[2].end()[0]) == ("abc", "jkl")


def test_a_refused_prompt_fails_none_of_those_beside_it(make):
    _, echo, ask = make(max_rows=3)
    hold(echo)
    running = [ask("aa") for _ in range(3)]
    eventually(lambda: echo.steps)
    # The rows come free at about the same time, and the prompts that wait are read together.
    readers = [ask(prompt) for prompt in ("bb", "!", "cc")]
    echo.let_all()
    assert [reader.end()[0] for reader in (*running, readers[0], readers[2])] == ["aa", "aa", "aa", "bb", "cc"]
    with pytest.raises(InvalidRequestError, match="no !"):
        readers[1].end()
    assert readers[1].is_released


def test_inputs_that_the_model_does_not_take_are_named(make, exported):
    generator, _, ask = make()
    with pytest.raises(InvalidRequestError, match="takes max_length, prompt, stop; got prompt, top_k: leave out top_k"):
        ask("a", top_k=3)
    line = Servable(exported / "line1")
    with pytest.raises(FailedPreconditionError, match="Predict"):
        Reader(generator, line, "a")
    line.close()


def test_a_stop_ends_running_and_waiting_texts(make):
    generator, echo, ask = make(max_rows=1)
    hold(echo)
    readers = [ask("a" * 90), ask("b")]
    eventually(lambda: echo.steps)
    echo.let_all()
    generator.stop()
    for reader in readers:
        with contextlib.suppress(UnavailableError):
            reader.end()
        assert reader.is_released
    with pytest.raises(UnavailableError):
        ask("c")


def test_a_model_that_is_closed_fails_its_texts(tmp_path):
    echo = Echo()
    servable = Servable(echo.save(tmp_path / "model"))
    generator = Generator(ServingSettings(), Metrics())
    reader = Reader(generator, servable, "a" * 10_000, max_length=10_000)
    reader.next()
    servable._session.close()
    with pytest.raises(ServingError):
        reader.end()
    generator.stop()


def test_a_text_that_cannot_join_fails_all_and_holds_nothing(make, monkeypatch):
    _, echo, ask = make(max_rows=4)
    hold(echo)
    running = ask("aa")
    eventually(lambda: echo.steps)
    readers = [ask("bb"), ask("cc"), ask("dd")]
    join = StackedRows.join

    def join_some(rows, owner, state):
        if owner is readers[1].stream:
            raise MemoryError
        join(rows, owner, state)

    monkeypatch.setattr(StackedRows, "join", join_some)
    echo.let_all()
    for reader in (running, *readers):
        with contextlib.suppress(InternalFailureError):
            reader.end()
        assert reader.is_released
    with pytest.raises(InternalFailureError):
        readers[1].end()


def test_what_is_read_while_a_step_fails_is_told_why(make, monkeypatch):
    _, echo, ask = make()
    hold(echo)
    first = ask("aa")
    eventually(lambda: echo.steps)
    is_failing, prefill = threading.Event(), StreamPrograms.prefill

    def prefill_when_failed(programs, requests):
        assert is_failing.wait(10)
        return prefill(programs, requests)

    def fail(programs, state):
        raise MemoryError

    monkeypatch.setattr(StreamPrograms, "prefill", prefill_when_failed)
    monkeypatch.setattr(StreamPrograms, "step", fail)
    second = ask("bb")
    echo.let_all()
    with pytest.raises(InternalFailureError):
        first.end()
    is_failing.set()
    with pytest.raises(InternalFailureError):
        second.end()


def test_prompts_of_those_that_are_gone_are_not_read(make, monkeypatch):
    generator, echo, ask = make(max_rows=1)
    read, prefill = [], StreamPrograms.prefill

    def note_and_prefill(programs, requests):
        read.extend(request["prompt"][0].decode() for request in requests)
        return prefill(programs, requests)

    monkeypatch.setattr(StreamPrograms, "prefill", note_and_prefill)
    hold(echo)
    readers = [ask(prompt) for prompt in ("aa", "bb", "cc", "dd")]
    eventually(lambda: echo.steps)
    for gone in (1, 3):
        readers[gone].stream.cancel()
    echo.let_all()
    assert [readers[number].end()[0] for number in (0, 2)] == ["aa", "cc"]
    eventually(lambda: readers[3].is_released and not generator._batches)
    assert read == ["aa", "cc"]


def test_texts_are_counted(make):
    metrics = Metrics()
    _, _, ask = make(metrics)
    ask("abc").end()
    ask("abcd", max_length=2).end()
    page = metrics.render()
    assert ':seqline:serving:stream_ends{model_name="m",reason="end"} 1' in page
    assert ':seqline:serving:stream_ends{model_name="m",reason="length"} 1' in page
    assert ':seqline:serving:stream_tokens{model_name="m"} 5' in page
