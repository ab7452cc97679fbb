"""No bytes in a data file, or in its name, end in a traceback. `benchmarks.fuzz.readers` tries many more."""

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from components.example_gen.readers import lines
from tests.components.example_gen.fuzz import GOOD, PAIR, complaint, complaint_of_pair, format_of, mutated

TIMES = 40
KINDS = {format_of(good): good for good in GOOD}
QUICK = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good.name)
def test_a_good_file_that_was_damaged(tmp_path, good):
    chance = random.Random(good.name)
    assert not complaint(tmp_path / "good", good, good.name.encode(), good.content)
    for _ in range(TIMES):
        assert not complaint(tmp_path / "bad", good, good.name.encode(), mutated(chance, good.content))


def test_parallel_files_that_were_damaged(tmp_path):
    chance = random.Random(1)
    for _ in range(TIMES):
        assert not complaint_of_pair(tmp_path, *(mutated(chance, content) for content in PAIR))


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(content=st.binary(max_size=300))
@example(content=b'{"text": ' + b"9" * 5000 + b', "label": 1}')
@example(content=b"[" * 100_000)
@example(content=b'text,label\n"' + b"x" * (17 << 20))
@example(content=b"text,label\r1,2\r")
@example(content=b"x" * (1 << 20))
def test_any_bytes(tmp_path, kind, content):
    assert not complaint(tmp_path / "any", KINDS[kind], KINDS[kind].name.encode(), content)


@pytest.mark.parametrize("kind", KINDS)
@QUICK
@given(name=st.binary(min_size=1, max_size=20).filter(lambda name: not set(name) & set(b"\0/.")))
@example(name=b"caf\xe9")
@example(name=b"\n\x1b[31m")
def test_any_name(tmp_path, kind, name):
    good = KINDS[kind]
    assert not complaint(tmp_path / "any", good, name + good.name[1:].encode(), good.content)


def test_an_exception_that_nobody_expects_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "full_lines", lambda path, context: 1 / 0)
    assert "ZeroDivisionError" in complaint(tmp_path / "a", KINDS["txt"], b"a.txt", b"x\n")
