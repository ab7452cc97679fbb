import subprocess
import sys

import pydantic
import pytest

from components.example_gen.formats import READERS, SAMPLES
from components.example_gen.settings import DataSettings


def test_a_minimal_section_of_each_way_is_valid():
    assert DataSettings(source="sample:dates").splits() == ("train", "eval")
    assert DataSettings(train="a.tsv", eval="b.tsv", test="c.tsv").splits() == ("train", "eval", "test")
    assert DataSettings(path="*.tsv", split={"test": 1, "eval": 1, "train": 8}).splits() == ("train", "eval", "test")
    assert DataSettings(train={"source": "a", "target": "b"}, eval={"source": "c", "target": ["d"]}).format == "auto"


def test_json_round_trip_keeps_the_settings():
    settings = DataSettings(train=["a.tsv"], eval="b.tsv", columns={"text": "document"})
    assert DataSettings.model_validate_json(settings.model_dump_json()) == settings


def test_the_documents_name_every_format_and_sample():
    fields = DataSettings.model_fields
    assert all(f"{name} (" in fields["format"].description for name in READERS)
    assert all(f"{name} (" in fields["source"].description for name in SAMPLES)


def test_settings_bring_in_no_library_that_reads_files():
    """A command line that only checks settings, and a small machine, do without them."""
    check = (
        "import sys, components.example_gen.settings; print({'soundfile', 'pyarrow', 'apache_beam'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_every_field_is_documented():
    assert not [name for name, field in DataSettings.model_fields.items() if not field.description]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Exactly one of .* Received: none"),
        ({"source": "sample:dates", "path": "a.tsv"}, "Received: source and path"),
        ({"source": "sample:words"}, "sample:dates. Received: 'sample:words'"),
        ({"train": "a.tsv"}, '"data.eval" must be set'),
        ({"path": "a.tsv", "test": "b.tsv"}, "data.test beside data.path"),
        ({"path": "a.tsv", "split": {"train": 9, "dev": 1}}, "train and eval.*dev"),
        ({"path": "a.tsv", "split": {"train": 9, "eval": 0}}, "greater than 0"),
        ({"path": "a.tsv", "label_pattern": "(?P<label>a)"}, "go together"),
        ({"path": "a.zip", "label_pattern": "(?P<label>a)"}, "go together.*Unpack ZIP archives first.* tar archive"),
        ({"path": "a.csv", "delimiter": ";;"}, "one character, neither .* Received: ';;'"),
        ({"path": "a.csv", "delimiter": '"'}, "one character, neither"),
        ({"path": "a.jsonl", "delimiter": ";"}, "data.delimiter\" is for tsv and csv only. Received: ';'"),
        ({"path": "a.wav", "quoting": "none"}, "data.quoting\" is for tsv and csv only. Received: 'none'"),
        ({"source": "sample:dates", "quoting": "none"}, "is for tsv and csv only"),
        ({"path": "a.wav", "label_names": {"0": "zero"}}, "names what a group of.*'0': 'zero'.*remove the names"),
        ({"path": "a", "format": "lines", "label_pattern": "(?P<label>"}, "regular expression"),
        (
            {"path": "a", "format": "tvs"},
            "'auto', 'tsv', 'csv', 'jsonl', 'parquet', 'conll', 'parallel', 'lines', 'documents', 'text' or 'wav'",
        ),
        ({"path": "a", "format": "parallel"}, "one path per feature"),
        ({"train": {"source": "a", "target": "b"}, "eval": "c"}, "per feature: data.train, plain: data.eval"),
        ({"path": {"source": "a", "target": "b"}, "format": "tsv"}, "data.format tsv"),
        ({"path": {"source": "a", "target": "b"}, "columns": {"source": "x"}}, "tables only"),
        ({"path": "a.tsv", "encoding": "utf-99"}, "text encoding that Python knows.*utf-99"),
        ({"path": "a.tsv", "encoding": "utf-16"}, "iconv -f utf-16"),
        ({"path": "a.tsv", "encoding": "base64"}, "text encoding"),
        ({"path": "a.tsv", "max_bad_fraction": 1.0}, "less than 1"),
        ({"path": "a.tsv", "sample": 3}, "Extra inputs"),
    ],
)
def test_a_mistake_names_the_rule_the_value_and_the_way_out(settings, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        DataSettings(**settings)
