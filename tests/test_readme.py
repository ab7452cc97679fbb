"""What the README says is true: its commands exist, its files are there, its configurations are valid."""

import ast
import re
from pathlib import Path

import pytest
import typer.main

from models.registry import TASKS
from pipeline.cli import app
from pipeline.config import config as configuration
from pipeline.config.reference import reference_text
from pipeline.config.schema import schema_text
from pipeline.serve.any_options import AnyOptions
from pipeline.serve.options import option_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page: page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}


def test_the_two_commands_stand_on_the_first_screen():
    first_screen = "\n".join(README.splitlines()[:25])
    assert "make run" in first_screen and "make test" in first_screen
    assert "minutes" in first_screen


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_exists(page):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)\b(?= |`|$)", PAGES[page], re.MULTILINE)) - {"it"} <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page):
    commands = typer.main.get_command(app).commands
    for command, rest in re.findall(r"(?:bin/|`)seqline (\w+)([^`\n]*)", PAGES[page]):
        assert command in commands, command
        options = {"--help"} | {option for parameter in commands[command].params for option in parameter.opts}
        if isinstance(commands[command], AnyOptions):
            options |= {f"--{name}" for task in TASKS for name in option_names(task)}
        assert set(re.findall(r"(?<= )--?[a-z]+", rest.split("#")[0])) <= options, (command, rest)


def test_every_file_named_in_the_readme_exists():
    for name in re.findall(r"`([\w./-]+(?:/|\.\w+))`", README):
        if name.startswith(("docs/", "configs/", "pipeline", "tests", "models", "serving", "components", "scripts")):
            assert (ROOT / name).exists(), name


def test_the_map_names_every_folder():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}
    told = README[README.index("## Map") :]
    generated = {"outputs", "build", "seqline.egg-info"}
    assert {folder for folder in folders - generated if f"`{folder}/`" not in told} == set()


def test_the_client_example_is_python_and_names_the_default_model():
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    ast.parse(code)
    assert f'"{configuration.load(ROOT / "pipeline_config.yaml").name}"' in code


@pytest.mark.parametrize(
    "file", [ROOT / "pipeline_config.yaml", *(ROOT / "configs").glob("*.yaml")], ids=lambda f: f.name
)
def test_every_config_is_valid_and_names_the_schema(file):
    configuration.load(file)
    first = file.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found and (file.parent / found[1]).resolve() == ROOT / "docs" / "schema.json"
    assert file.parent == ROOT or f"configs/{file.name}" in README


def test_the_reference_and_the_schema_are_up_to_date():
    """Mend with: seqline schema docs/configuration.md; seqline schema docs/schema.json."""
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference_text()
    assert (ROOT / "docs" / "schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_key_of_the_default_config_has_a_comment():
    for line in (ROOT / "pipeline_config.yaml").read_text(encoding="utf-8").splitlines():
        if re.match(r"\s*\w+:\s*\S", line):
            assert "#" in line, line
