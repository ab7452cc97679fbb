"""Writes small input files for tests."""

import gzip
import json
from pathlib import Path

from components.example_gen.clips import Clips
from components.example_gen.formats import input_files, read_file
from components.example_gen.records import BadRecord, Record
from components.example_gen.settings import DataSettings
from models.audio_settings import AudioSettings
from models.registry import TASKS

CLASSIFICATION = TASKS["text_classification"].features
TRANSLATION = TASKS["text_to_text"].features
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
    clips = Clips.of(data, features, audio)
    return [item for file in input_files(data, features) for item in read_file(file, features, data, clips)]


def values(records) -> list[tuple[str, ...]]:
    """The values of records, all of which must be good."""
    records = list(records)
    assert not [record for record in records if isinstance(record, BadRecord)]
    return [tuple(record.values.values()) for record in records]
