"""The file formats and the built-in samples by name: a new one is a reader module and a line here.

Importing this brings in no library that reads files: settings are checked before any is needed.
"""

import importlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.features import Feature

if TYPE_CHECKING:
    from components.example_gen.context import ReadContext
    from components.example_gen.records import BadRecord, InputFile, Record

AUTO = "auto"
# Endings behind that of the format, of files that are unpacked.
PACKED = (".gz", ".bz2", ".xz", ".zst")

_SOUND = "Convert recordings to WAV: ffmpeg -i FILE NEW_FILE.wav."
_SHEET = "Save the sheet as CSV (UTF-8)."
_OTHER_SUFFIXES = {
    ".zip": "Unpack ZIP archives first: unzip FILE; recordings may come as a tar archive.",
    ".7z": "Unpack 7z archives first: 7z x FILE.",
    ".rar": "Unpack RAR archives first: unrar x FILE.",
    ".xlsx": _SHEET,
    ".xls": _SHEET,
    ".ods": _SHEET,
    ".json": "Of JSON only JSON Lines is read, an object a line: set data.format jsonl if it is that.",
    **dict.fromkeys((".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aiff", ".aif", ".wma"), _SOUND),
}


@dataclass(frozen=True)
class Reader:
    """What holds for every file of a format.

    Attributes:
        module: dotted name of the module whose `read(file, context)` yields records, good and bad.
        about: what it is, for the documents.
        kinds: of the features that stand in the files.
        suffixes: how files of the format end, without `.gz` and its like; they tell it where data.format is auto.
        example: what one example is called.
        offer: what to give, for who gives files of another format to a task that needs this one.
        columns: whether `data.columns` says where a feature stands.
        delimiter: what stands between the cells of a row where `data.delimiter` does not say; "" = no such rows.
        quoting: of cells, where `data.quoting` does not say.
        by_name: whether one feature stands in the files, and all others come by the file's name (`FileFacts`).
        per_feature: whether there is a file for each feature.
        below: suffixes of the files that a folder stands for; none = a folder cannot be read.
        features: names of the features that a built-in sample makes; none for files.
        section: another section of the configuration that the reader looks at; "" = none.
    """

    module: str
    about: str
    kinds: frozenset[str] = frozenset({"text", "label"})
    suffixes: tuple[str, ...] = ()
    example: str = "text"
    offer: str = ""
    columns: bool = False
    delimiter: str = ""
    quoting: str = ""
    by_name: bool = False
    per_feature: bool = False
    below: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    section: str = ""

    @property
    def holds(self) -> str:
        """What the files hold, in one word."""
        return f"{self.example}s"

    def read(self, file: "InputFile", context: "ReadContext") -> "Iterator[Record | BadRecord]":
        """Yields what stands in a file.

        Raises:
            DataError: if the file as a whole cannot be used. It may come after records were handed out.
        """
        return importlib.import_module(self.module).read(file, context)

    def named(self, features: Iterable[Feature]) -> list[Feature]:
        """Those features that do not stand in a file, but come by its name."""
        return [feature for feature in features if feature.kind not in self.kinds]

    def fits(self, features: Sequence[Feature]) -> bool:
        """Whether files of the format can give these features."""
        named = self.named(features)
        if not self.by_name:
            return not named
        nameable = all(feature.facts.stored == "bytes" and not feature.facts.many for feature in named)
        return nameable and len(features) - len(named) == 1


READERS: dict[str, Reader] = {
    "tsv": Reader(
        "components.example_gen.readers.delimited",
        "no quoting",
        kinds=frozenset({"text", "label", "column"}),
        suffixes=(".tsv",),
        columns=True,
        delimiter="\t",
        quoting="none",
        below=(".tsv",),
    ),
    "csv": Reader(
        "components.example_gen.readers.delimited",
        "quoted",
        kinds=frozenset({"text", "label", "column"}),
        suffixes=(".csv",),
        columns=True,
        delimiter=",",
        quoting="minimal",
        below=(".csv",),
    ),
    "jsonl": Reader(
        "components.example_gen.readers.jsonl",
        "an object a line",
        kinds=frozenset({"text", "label", "tokens", "tags", "column"}),
        suffixes=(".jsonl", ".ndjson"),
        columns=True,
        below=(".jsonl", ".ndjson"),
    ),
    "parquet": Reader(
        "components.example_gen.readers.parquet",
        "columnar",
        kinds=frozenset({"text", "label", "tokens", "tags", "column"}),
        suffixes=(".parquet",),
        columns=True,
        below=(".parquet",),
    ),
    "conll": Reader(
        "components.example_gen.readers.conll",
        "a token and its tag a line, a blank line behind each sentence",
        kinds=frozenset({"tokens", "tags"}),
        suffixes=(".conll", ".iob", ".bio"),
        example="sentence",
        offer="give files with a token and its tag a line, or JSON Lines or Parquet files with lists of both",
        columns=True,
        below=(".conll", ".iob", ".bio"),
    ),
    "parallel": Reader(
        "components.example_gen.readers.parallel", "line-aligned files, one per feature", per_feature=True
    ),
    "lines": Reader(
        "components.example_gen.readers.lines",
        "one text per line, its label, if the task has one, in the file name",
        kinds=frozenset({"text"}),
        by_name=True,
    ),
    "documents": Reader(
        "components.example_gen.readers.documents",
        "a sentence a line, a blank line behind each document",
        kinds=frozenset({"text"}),
        example="document",
        by_name=True,
    ),
    "text": Reader(
        "components.example_gen.readers.text",
        "whole texts, line breaks and all, each file a document in passages",
        kinds=frozenset({"text"}),
        example="passage",
        by_name=True,
    ),
    "wav": Reader(
        "components.example_gen.readers.wav",
        "recordings, in folders or tar archives too",
        kinds=frozenset({"audio"}),
        suffixes=(".wav", ".tar", ".tgz", ".tbz2", ".txz", ".tzst"),
        example="recording",
        offer="give WAV files, tar archives of them, or with data.format wav a folder",
        by_name=True,
        below=(".wav",),
        section="audio",
    ),
}

SAMPLES: dict[str, Reader] = {
    "sample:dates": Reader(
        "components.example_gen.sample_dates",
        "dates as people write them, with their ISO form",
        features=("source", "target"),
    ),
}


def reader_of(name: str) -> Reader:
    """The reader of a format or of a built-in sample."""
    return SAMPLES[name] if name in SAMPLES else READERS[name]


def suffix_of(path: str) -> str:
    """Returns the suffix of a path in lower case, looking behind `.gz` and its like."""
    stem, suffix = os.path.splitext(path.rstrip("/").lower())
    return os.path.splitext(stem)[1] if suffix in PACKED else suffix


def suffix_hint(path: str) -> str:
    """Returns what to do with a file whose suffix tells no format, or ""."""
    return _OTHER_SUFFIXES.get(suffix_of(path), "")


def known_suffixes() -> dict[str, str]:
    """Each suffix with the format that it tells."""
    return {suffix: name for name, reader in READERS.items() for suffix in reader.suffixes}


def format_of_all(paths: Iterable[str]) -> str:
    """The format that the suffixes of all paths tell; "" where there are none, or they do not agree."""
    found = {known_suffixes().get(suffix_of(path), "") for path in paths}
    return found.pop() if len(found) == 1 else ""


def sections_for(features: Iterable[Feature]) -> list[str]:
    """Names of the sections, beside that of the data, which readers of these features look at."""
    kinds = {feature.kind for feature in features}
    return [reader.section for reader in READERS.values() if reader.section and reader.kinds & kinds]


def formats_with(fact: str) -> list[str]:
    """Names of the formats whose reader has this attribute set."""
    return [name for name, reader in READERS.items() if getattr(reader, fact)]


def described(readers: dict[str, Reader]) -> str:
    """Each name with what it is, for the documents."""
    return ", ".join(f"{name} ({reader.about})" for name, reader in readers.items())
