import pydantic
import pytest

from components.example_gen.settings import DataSettings


def test_a_minimal_section_of_each_way_is_valid():
    assert DataSettings(source="sample:dates").splits() == ("train", "eval")
    assert DataSettings(train="a.tsv", eval="b.tsv", test="c.tsv").splits() == ("train", "eval", "test")
    assert DataSettings(path="*.tsv", split={"test": 1, "eval": 1, "train": 8}).splits() == ("train", "eval", "test")
    assert DataSettings(train={"source": "a", "target": "b"}, eval={"source": "c", "target": ["d"]}).format == "auto"


def test_json_round_trip_keeps_the_settings():
    settings = DataSettings(train=["a.tsv"], eval="b.tsv", columns={"text": "document"})
    assert DataSettings.model_validate_json(settings.model_dump_json()) == settings


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
        ({"path": "a", "format": "lines"}, '"data.label_pattern" and data.format lines go together'),
        ({"path": "a.tsv", "label_pattern": "(?P<label>a)"}, "go together"),
        ({"path": "a", "format": "lines", "label_pattern": "(neg|pos)"}, "group named label"),
        ({"path": "a.wav", "label_names": {"0": "zero"}}, "names what a group label"),
        ({"path": "a", "format": "lines", "label_pattern": "(?P<label>"}, "regular expression"),
        ({"path": "a", "format": "parallel"}, "one path per feature"),
        ({"train": {"source": "a", "target": "b"}, "eval": "c"}, "per feature: data.train, plain: data.eval"),
        ({"path": {"source": "a", "target": "b"}, "format": "tsv"}, "data.format tsv"),
        ({"path": {"source": "a", "target": "b"}, "columns": {"source": "x"}}, "tables only"),
        ({"path": "a.tsv", "encoding": "utf-99"}, "text encoding that Python knows.*utf-99"),
        ({"path": "a.tsv", "encoding": "utf-16"}, "iconv -f utf-16"),
        ({"path": "a.tsv", "encoding": "base64"}, "text encoding"),
        ({"path": "a.tsv", "max_bad_fraction": 1.0}, "less than 1"),
        ({"path": "a.tsv", "sample": 3}, "Extra inputs"),
        ({"path": "${SEQLINE_NOT_SET}/a.tsv"}, "data.path.*SEQLINE_NOT_SET, which is not set.*:-some/folder"),
    ],
)
def test_a_mistake_names_the_rule_the_value_and_the_way_out(settings, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        DataSettings(**settings)


def test_variables_expand_everywhere(monkeypatch):
    monkeypatch.setenv("SEQLINE_TEST", "/here")
    monkeypatch.delenv("SEQLINE_NOT_SET", raising=False)
    settings = DataSettings(
        train={"source": ["${SEQLINE_TEST}/a"], "target": "${SEQLINE_NOT_SET:-../there}/b"},
        eval={"source": "${SEQLINE_NOT_SET:-}c", "target": "d"},
    )
    assert settings.train == {"source": ["/here/a"], "target": "../there/b"}
    assert settings.eval == {"source": "c", "target": "d"}
