"""The examples of docs/data.md are read as they say."""

import fnmatch
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from components.example_gen.context import ReadContext
from components.example_gen.formats import READERS, formats_with
from components.example_gen.input_files import input_files
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord, texts_of
from components.example_gen.settings import DataSettings
from models.audio_settings import AudioSettings
from models.features import given_features
from models.registry import TASKS
from tests.components.example_gen.recordings import RATE

PAGE = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+) ?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOLD = ("read", "refused", "passed over")


def examples():
    """The blocks of each section, from one configuration to what is told of it."""
    for section in PAGE.split("\n## ")[1:]:
        found = []
        for kind, name, content in BLOCK.findall(section):
            if found and name not in TOLD and any(block[1] in TOLD for block in found):
                yield section.split("\n")[0].strip("`"), found
                found = []
            found.append((kind, name, content))
        if found:
            yield section.split("\n")[0].strip("`"), found


EXAMPLES = list(examples())


def shown(value):
    if isinstance(value, np.ndarray):
        return f"{len(value)} samples"
    return " ".join(texts_of(value)).replace("\n", "\\n")


@pytest.mark.parametrize(("section", "blocks"), EXAMPLES, ids=[section for section, _ in EXAMPLES])
def test_an_example_is_read_as_the_page_says(tmp_path, monkeypatch, section, blocks):
    monkeypatch.chdir(tmp_path)
    said = dict.fromkeys(TOLD, "")
    for kind, name, content in blocks:
        if kind == "yaml":
            config = yaml.safe_load(content)
        elif kind == "python":
            exec(content, {})
        elif name in TOLD:
            said[name] = content
        else:
            Path(name).write_text(content, encoding="utf-8")
    data, passed = DataSettings(**config["data"]), Counter()
    features = given_features(TASKS[config["task"]].features)
    context = ReadContext.of(features, data, {"audio": AudioSettings(sample_rate=2 * RATE)})
    files = input_files(data, features, passed)
    assert {file.format for file in files} == {section}
    records = [item for file in files for item in read_file(file, context)]
    good = [item.values for item in records if not isinstance(item, BadRecord)]
    names = [
        feature.name for feature in features if any(values[feature.name] for values in good if feature.name != "audio")
    ]
    names = ["audio", *names] if section == "wav" else names
    assert [" | ".join(shown(values[name]) for name in names) for values in good] == said["read"].splitlines()
    refused = [str(item) for item in records if isinstance(item, BadRecord)]
    assert len(refused) == len(said["refused"].splitlines()), refused
    for reason, pattern in zip(refused, said["refused"].splitlines(), strict=True):
        assert reason == pattern or (pattern.startswith("*") and fnmatch.fnmatch(reason, pattern)), reason
    assert [f"{name}: {count}" for name, count in (passed + context.passed).items()] == said["passed over"].splitlines()


def test_every_format_has_a_section_with_an_example():
    assert {section for section, _ in EXAMPLES} == set(READERS)
    assert formats_with("delimiter") == ["tsv", "csv"]  # what the page says of delimiter and quoting
