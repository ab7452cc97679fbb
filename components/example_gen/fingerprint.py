"""What tells the cache that data have changed."""

from components.example_gen.input_files import paths_of
from components.example_gen.settings import DataSettings
from components.example_gen.text_files import open_raw
from components.files_hash import hash_files


def data_fingerprint(settings: DataSettings) -> str:
    """SHA-256 over every input file, name and content.

    Raises:
        DataError: if a file cannot be found or read, so that a mistake in the settings shows before the run starts.
    """
    return hash_files(((f"{key}:{path}", path) for key, path in paths_of(settings)), open_raw)
