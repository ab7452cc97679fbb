"""Reads lists of names that a configuration gives."""

import json
from collections.abc import Mapping

from components.errors import DataError
from components.example_gen.text_files import open_raw, read_lines
from components.files_hash import hash_files
from models.tokenizers.settings import TokenizerSettings


def gazetteers_json(files: Mapping[str, str]) -> str:
    """Where the lists stand, and a digest of what is in them, which the cache notices.

    Args:
        files: list to its file.

    Raises:
        DataError: a file cannot be read.
    """
    return json.dumps({"files": dict(files), "digest": hash_files(sorted(files.items()), open_raw)})


def read_gazetteers(given: str, settings: TokenizerSettings) -> dict[str, list[str]]:
    """The names of each list, one on each line of its file, UTF-8, packed or not; empty lines count for nothing.

    Args:
        given: what `gazetteers_json` wrote.
        settings: the tokenizer section.

    Raises:
        DataError: a file cannot be read, or has a line that is no text, or no name that is short enough.
    """
    from models.tokenizers.gazetteers import learn_names  # TensorFlow, without which names can be read

    files: dict[str, str] = json.loads(given)["files"]
    learned = learn_names(read_names(files), settings)
    for gazetteer, found in learned.items():
        if not found:
            raise DataError(
                f"labeling.gazetteers.{gazetteer} must be a file with a name of a few words on each line. "
                f"Received: {files[gazetteer]}, which has none."
            )
    return learned


def read_names(files: Mapping[str, str]) -> dict[str, list[str]]:
    """The lines of each list, as people have written them.

    Args:
        files: list to its file.

    Raises:
        DataError: a file cannot be read, or has a line that is no text.
    """
    names: dict[str, list[str]] = {}
    for gazetteer, path in files.items():
        lines = list(read_lines(path, "utf-8"))
        if wrong := next((line for line in lines if line.problem), None):
            raise DataError(
                f"{path}:{wrong.number}: {wrong.problem}. A list of names is UTF-8 text, a name on each line."
            )
        names[gazetteer] = [line.text for line in lines]
    return names
