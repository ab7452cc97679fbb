import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_directory() -> Path:
    """The folder with the real data."""
    root = Path(__file__).parents[3]
    folder = root / (os.environ.get("SEQLINE_DATA") or "../shared/data")
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} does not exist; set SEQLINE_DATA to the folder that holds them")
    return folder
