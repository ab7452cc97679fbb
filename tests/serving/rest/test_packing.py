"""Bodies packed by gzip: one member or many, whole or not."""

import gzip
import random
import zlib

import pytest

from serving.errors import ResourceExhaustedError
from serving.rest import packing
from serving.rest.packing import unpack


def test_members_of_all_sizes_with_zeros_between_them():
    chance = random.Random(1)
    contents = [chance.randbytes(size) for size in (0, 1, 100, 16 << 10, 300_000, 0, 7)]
    body = b"".join(gzip.compress(content) + b"\0" * (number % 3) for number, content in enumerate(contents))
    assert unpack(body, "GZIP", 10**6) == b"".join(contents)


def test_the_limit_is_that_of_the_content():
    assert unpack(gzip.compress(b"a" * 1000), "gzip", 1000) == b"a" * 1000
    for body in (gzip.compress(b"a" * 1001), gzip.compress(b"a" * 1000) + gzip.compress(b"a")):
        with pytest.raises(ResourceExhaustedError):
            unpack(body, "gzip", 1000)


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"abc")[:-3], gzip.compress(b"abc") + b"x"])
def test_what_cannot_be_unpacked_is_empty(body):
    assert unpack(body, "gzip", 1000) == b""


def test_what_stands_behind_a_member_is_not_copied_for_each(monkeypatch):
    """Else twice as many members cost four times as much."""
    handed, real = [], zlib.decompressobj

    class Counting:
        def __init__(self, **options):
            self.inflater = real(**options)

        def decompress(self, data, most):
            handed.append(len(data))
            return self.inflater.decompress(data, most)

        def __getattr__(self, name):
            return getattr(self.inflater, name)

    monkeypatch.setattr(packing.zlib, "decompressobj", Counting)
    assert unpack(gzip.compress(b"") * 5000, "gzip", 1000) == b""
    assert len(handed) == 5000 and max(handed) <= 16 << 10
