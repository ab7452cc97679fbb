"""Variables and the home folder in settings that are paths."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from models.settings import markers_of
from pipeline.config import config
from tests.pipeline.config.conftest import DATES, refusal


def test_variables_and_the_home_folder_are_expanded_in_every_path(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLINE_TEST", "/here")
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("SEQLINE_NOT_SET", raising=False)
    text = DATES.replace(
        "  source: sample:dates\n",
        "  train: {source: ['${SEQLINE_TEST}/a'], target: '${SEQLINE_NOT_SET:-../there}/b'}\n"
        "  eval: {source: ~/c, target: d}\n",
    )
    file.write_text(text + "output_dir: ${SEQLINE_TEST}/run\nserving: {security: {token_file: ~/tokens}}\n")
    loaded = config.load(file, ["serving.request_log.folder=${SEQLINE_TEST}/logs", "name=a"])
    assert loaded.data.train == {"source": ["/here/a"], "target": "../there/b"}
    assert loaded.data.eval == {"source": "/home/me/c", "target": "d"}
    assert (loaded.output_dir, loaded.serving.security.token_file) == ("/here/run", "/home/me/tokens")
    assert loaded.serving.request_log.folder == "/here/logs"


def test_a_variable_that_is_not_set_names_the_key_and_the_way_out(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQLINE_NOT_SET", raising=False)
    told = refusal(file, DATES + "output_dir: ${SEQLINE_NOT_SET}/x\nclips: {recognizer: '${SEQLINE_NOT_SET}/y'}\n")
    assert 'FILE line 7: "output_dir" names the environment variable SEQLINE_NOT_SET, which is not set' in told
    assert '"clips.recognizer" names' in told


def test_every_key_whose_name_says_path_is_marked_as_one() -> None:
    def keys(model: type, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
        for name, field in model.model_fields.items():
            if hasattr(field.annotation, "model_fields"):
                yield from keys(field.annotation, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", field

    named = re.compile(
        r"(_file|_dir|folder|_path|recognizer|analogies|gazetteers|init_from|data\.(train|eval|test|path))$"
    )
    fields = {key: field for key, field in keys(config.Config) if field.annotation is not bool}
    assert {key for key, field in fields.items() if markers_of(field).get("path")} == set(filter(named.search, fields))
