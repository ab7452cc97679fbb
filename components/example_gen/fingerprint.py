"""What tells the cache that data, or the code that reads them, have changed."""

import hashlib
from pathlib import Path

from components.example_gen.input_files import paths_of
from components.example_gen.settings import DataSettings
from components.example_gen.text_files import open_raw

_BLOCK = 1 << 20


def data_fingerprint(settings: DataSettings) -> str:
    """Returns a SHA-256 over every input file (name and content) and over the code of this package.

    The content is read, not the time stamp: a fresh checkout of the same data keeps its cache, and an edit within the
    clock's grain is not missed. Reading costs about one second per gigabyte, far less than what a cache hit saves.

    Raises:
        DataError: if a file cannot be found or read, so that a mistake in the settings shows before the run starts.
    """
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        _add(digest, source.name, str(source))
    for key, path in paths_of(settings):
        _add(digest, f"{key}:{path}", path)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", name: str, path: str) -> None:
    content = hashlib.sha256()
    with open_raw(path) as stream:
        while block := stream.read(_BLOCK):
            content.update(block)
    # A digest per file has a fixed length: no two sets of files can run together to the same bytes.
    digest.update(hashlib.sha256(name.encode()).digest() + content.digest())
