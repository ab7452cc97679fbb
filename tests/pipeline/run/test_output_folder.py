from pathlib import Path

import apache_beam as beam
import pytest

from components.example_gen.executor import generate_examples
from components.example_gen.settings import DataSettings
from components.versions import newest_in
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.errors import ConfigError
from pipeline.run.output_folder import OutputFolder

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def folder_of(config: Config, path: Path) -> OutputFolder:
    return OutputFolder(config.model_copy(update={"output_dir": str(path)}))


def test_a_plain_folder_is_reached_by_its_own_path(dates_config: Config, tmp_path: Path) -> None:
    folder = folder_of(dates_config, tmp_path / "out")
    folder.make_reachable()
    assert folder.reached == folder.root == tmp_path / "out"
    assert not [path for path in tmp_path.iterdir() if path.is_symlink()]


@pytest.mark.parametrize("name", ["out[1]", "a*b", "why?", "[x]/deep/er"])
def test_a_folder_with_wildcard_characters_can_be_written_and_read(
    dates_config: Config, tmp_path: Path, name: str
) -> None:
    folder = folder_of(dates_config, tmp_path / name)
    folder.make_reachable()
    folder.root.mkdir(parents=True)
    assert folder.reached.parent == tmp_path
    assert folder_of(dates_config, tmp_path / name).artifacts == folder.artifacts
    folder.artifacts.mkdir()
    if name == "out[1]":
        data = DataSettings(source="sample:dates", sample_size=100)
        features = TASKS["text_to_text"].features
        generate_examples(beam.Pipeline(argv=[RUNNER]), data, features, str(folder.artifacts))
        assert (tmp_path / name / "artifacts" / "counts.json").exists()
    (folder.serving / "7").mkdir(parents=True)
    assert newest_in(folder.serving) == folder.serving / "7"
    assert (tmp_path / name / "serving" / "dates" / "7").is_dir()


def test_a_lost_link_is_made_again_where_the_folder_is(dates_config: Config, tmp_path: Path) -> None:
    (tmp_path / "out[1]").mkdir()
    folder = folder_of(dates_config, tmp_path / "out[1]")
    folder.reached.unlink()
    assert folder_of(dates_config, tmp_path / "out[1]").reached.is_symlink()


def test_something_else_in_the_place_of_the_link_is_told(dates_config: Config, tmp_path: Path) -> None:
    folder = folder_of(dates_config, tmp_path / "out[1]")
    folder.reached.symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="has a wildcard character in its path.*something else there. Remove it"):
        folder.make_reachable()
