"""A tiny model, published as version 1, and a file of texts."""

from pathlib import Path

import pytest

from tests.serving import saved_models


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """Folder of a model that answers `source` with `target`, its upper case."""
    folder = tmp_path_factory.mktemp("pushed")
    saved_models.save_transformer(folder / "exported")
    saved_models.publish(folder / "exported", folder / "upper", 1)
    return folder / "upper"


@pytest.fixture
def texts(tmp_path) -> Path:
    path = tmp_path / "texts.txt"
    path.write_text("one\n\ntwo\nzwölf\n", encoding="utf-8")
    return path
