"""Bytes that may stand in a data file, and in its name, and a look at whether a reader copes with them."""

import bz2
import gzip
import io
import json
import lzma
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from components.errors import DataError, printable
from components.example_gen.context import ReadContext
from components.example_gen.executor import encode
from components.example_gen.input_files import input_files
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord
from components.example_gen.settings import DataSettings
from models.audio_settings import AudioSettings
from models.features import Feature
from models.registry import TASKS
from tests.components.example_gen import recordings
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, jsonl

TAGGING = TASKS["sequence_labeling"].features
AUDIO = AudioSettings(sample_rate=recordings.RATE)
ROWS = [(f'say "{number}", 좋다', "pos" if number % 2 else "neg") for number in range(40)]


@dataclass(frozen=True)
class Good:
    """A file that can be read, with what is to be said of it.

    Attributes:
        name: of the file.
        content: what stands in it.
        features: the task's.
        settings: of the data section, beside the path.
    """

    name: str
    content: bytes
    features: tuple[Feature, ...] = CLASSIFICATION
    settings: dict[str, Any] = field(default_factory=dict)


def _table(delimiter: str, rows: list[tuple[str, str]]) -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in [("text", "label"), *rows]).encode()


def _quoted(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [('"' + text.replace('"', '""') + ('"' if len(text) % 2 else '\n"'), label) for text, label in rows]


def _parquet() -> bytes:
    stream = io.BytesIO()
    texts, labels = zip(*ROWS, strict=True)
    table = pa.table({"text": texts, "label": pa.array(labels).dictionary_encode(), "n": range(len(ROWS))})
    pq.write_table(table, stream, row_group_size=17)
    return stream.getvalue()


def _tagged() -> list[tuple[list[str], list[str]]]:
    return [(text.split(), ["O", "B-a" if label == "pos" else "B-b", "O"][: len(text.split())]) for text, label in ROWS]


def _conll() -> bytes:
    rows = ("".join(f"{token}\tx\t{tag}\n" for token, tag in zip(*pair, strict=True)) for pair in _tagged())
    return ("# comment\n" + "\n".join(rows)).encode()


def _lists() -> bytes:
    stream = io.BytesIO()
    tokens, tags = zip(*_tagged(), strict=True)
    pq.write_table(pa.table({"tokens": tokens, "tags": tags}), stream, row_group_size=17)
    return stream.getvalue()


def _ear(name: str, content: bytes) -> Good:
    return Good(name, content, recordings.CLASSIFICATION, {"format": "wav", "label_pattern": "(?P<label>.)"})


WAV = recordings.wav_bytes()
TAR = recordings.tar_bytes({"0.wav": WAV, "1.wav": WAV, "._1.wav": b"x"})
TSV = _table("\t", ROWS)
GOOD: tuple[Good, ...] = (
    Good("a.tsv", TSV),
    Good("a.csv", _table(",", _quoted(ROWS))),
    Good("b.tsv", _table("\t", _quoted(ROWS)), settings={"quoting": "minimal"}),
    Good("b.csv", _table(";", ROWS), settings={"quoting": "none", "delimiter": ";"}),
    Good("a.jsonl", jsonl(*({"text": text, "label": label, "n": [1, {"x": None}]} for text, label in ROWS)).encode()),
    Good("a.parquet", _parquet()),
    Good("a.txt", TSV, settings={"format": "lines", "label_pattern": "(?P<label>.)"}),
    Good("a.text", TSV, (Feature("text", "text"),), {"passage_length": 100}),
    Good("a.conll", _conll(), TAGGING),
    Good("b.jsonl", jsonl(*({"tokens": tokens, "tags": tags} for tokens, tags in _tagged())).encode(), TAGGING),
    Good("b.parquet", _lists(), TAGGING),
    Good("a.tsv.gz", gzip.compress(TSV)),
    Good("a.tsv.bz2", bz2.compress(TSV)),
    Good("a.tsv.xz", lzma.compress(TSV)),
    Good("a.tsv.zst", zstandard.ZstdCompressor(write_checksum=True).compress(TSV)),
    Good("a.parquet.zst", zstandard.ZstdCompressor().compress(_parquet())),
    _ear("a.wav", WAV),
    _ear("b.wav", b"ID3\x03\x00\x00\x00\x00\x00\x05tag!!" + recordings.wav_bytes(subtype="FLOAT")),
    _ear("c.wav", recordings.wav_bytes(subtype="PCM_24", container="RF64")),
    _ear("d.wav", recordings.wav_bytes(container="W64")),
    _ear("e.wav", recordings.wav_bytes(container="WAVEX", subtype="PCM_U8")),
    _ear("a.tar", TAR),
    _ear("a.tar.xz", lzma.compress(TAR)),
)
PAIR = tuple("".join(text for text, _ in ROWS[: number + 9]).replace(" ", "\n").encode() for number in range(2))

_SPICE = (
    *(b'"', b'""', b"\r", b"\n", b"\r\n", b"\t", b",", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b"text\tlabel\n", b'{"text": "\\ud83d", "label": 1}', b'{"te\\udc80xt": 1}', b"[" * 5000, b"9" * 5000),
    *(b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\xff\xff\xff\x7f", b"\0" * 8, b"RIFF", b"data", b"ustar", b"PAR1"),
    *(b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"x" * 70_000),
)


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Returns the content with one to five changes, as disks, networks, editors and bad luck make them."""
    changes: tuple[Callable[[random.Random, bytearray], Any], ...] = (_flip, _cut, _spice, _spice, _repeat, _lose, _set)
    changed = bytearray(content)
    for _ in range(chance.randint(1, 5)):
        chance.choice(changes)(chance, changed)
    return bytes(changed)


def _flip(chance: random.Random, content: bytearray) -> None:
    for _ in range(chance.randint(1, 8)):
        if content:
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _cut(chance: random.Random, content: bytearray) -> None:
    del content[chance.randint(0, len(content)) :]


def _spice(chance: random.Random, content: bytearray) -> None:
    at = chance.randint(0, min(len(content), chance.choice((50, 1 << 20))))
    content[at:at] = chance.choice(_SPICE)


def _repeat(chance: random.Random, content: bytearray) -> None:
    start, end = sorted(chance.randint(0, len(content)) for _ in range(2))
    content[start:start] = content[start:end]


def _lose(chance: random.Random, content: bytearray) -> None:
    start = chance.randint(0, len(content))
    del content[start : start + chance.randint(1, 100)]


def _set(chance: random.Random, content: bytearray) -> None:
    """Where headers hold lengths."""
    at = chance.randint(0, min(len(content), 128))
    content[at : at + 4] = chance.choice((bytes(4), b"\xff" * 4, b"\0\0\0\x80", chance.randbytes(4)))


def complaint(folder: Path, good: Good, name: bytes, content: bytes) -> str:
    """Reads the content under the name; returns what went wrong, "" if nothing: a refusal in words is right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open(os.path.join(os.fsencode(folder), name), "wb") as stream:
        stream.write(content)
    pattern = f"{folder}/*" if name != good.name.encode() else f"{folder}/{good.name}"
    settings = DataSettings(**{"format": format_of(good), "path": pattern, **good.settings})
    return _complaint(settings, good.features)


def complaint_of_pair(folder: Path, source: bytes, target: bytes) -> str:
    """As `complaint`, of parallel text."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.en").write_bytes(source)
    (folder / "a.de").write_bytes(target)
    return _complaint(DataSettings(path={"source": f"{folder}/a.en", "target": f"{folder}/a.de"}), TRANSLATION)


def format_of(good: Good) -> str:
    """The format by the first suffix."""
    return good.name.split(".")[1]


def _complaint(settings: DataSettings, features: tuple[Feature, ...]) -> str:
    try:
        context = ReadContext.of(features, settings, {"audio": AUDIO})
        for message in _told(settings, features, context):
            message.encode()
    except DataError as error:
        if "cannot be read, " in str(error) or "cannot be read (" in str(error):
            return f"an exception that no reader expects: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _told(settings: DataSettings, features: tuple[Feature, ...], context: ReadContext) -> Iterator[str]:
    """Reads all, and yields every word that a person may read of it."""
    for file in input_files(settings, features):
        for item in read_file(file, context):
            if isinstance(item, BadRecord):
                yield json.dumps({"reason": printable(item.reason), "file": printable(item.file)}, ensure_ascii=False)
            else:
                encode(item)
                yield printable(item.place)
    yield from map(printable, context.warnings.values())
