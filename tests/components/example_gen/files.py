"""Writes small input files for tests."""

import gzip
import json
from pathlib import Path

from components.example_gen.context import ReadContext
from components.example_gen.input_files import input_files
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, Record
from components.example_gen.settings import DataSettings
from models.audio_settings import AudioSettings
from models.features import Feature
from models.registry import TASKS

CLASSIFICATION = TASKS["text_classification"].features
TRANSLATION = TASKS["text_to_text"].features
PLAIN = (Feature("text", "text"),)
DEFAULT_AUDIO = AudioSettings()


def write(path: Path, content: str | bytes) -> str:
    """Writes a file, packed if it ends in .gz, and returns its path as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def jsonl(*rows: dict) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read(features=CLASSIFICATION, audio: AudioSettings = DEFAULT_AUDIO, **settings) -> list[Record | BadRecord]:
    """Reads everything that the settings name, in order."""
    data = DataSettings(**settings)
    files = input_files(data, features)
    context = ReadContext.of(features, data, {"audio": audio})
    return [item for file in files for item in read_file(file, context)]


def values(records) -> list[tuple[str, ...]]:
    """The values of records, all of which must be good."""
    records = list(records)
    assert not [record for record in records if isinstance(record, BadRecord)]
    return [tuple(record.values.values()) for record in records]
