"""Labels that look the same, and messages about them."""

import re

import pytest

from components.errors import DataError
from components.example_gen.checks import Evidence, find_look_alikes, find_told_of_files
from components.example_gen.overlap import Overlap
from components.example_gen.report import FileReport, counts, judge
from components.example_gen.settings import DataSettings
from components.example_gen.suggestions import quoted, shown
from tests.components.example_gen.files import CLASSIFICATION

SETTINGS = DataSettings(train="a.tsv", eval="b.tsv")


def reports(train, eval_):
    """Of two files with these labels."""
    made = []
    for split, labels in (("train", train), ("eval", eval_)):
        report = FileReport((f"{split}.tsv",), split)
        for line, label in enumerate(labels, start=2):
            report.kept[split] += 1
            report.add_label(split, "label", label, f"{split}.tsv:{line}")
        made.append(report)
    return made


def warnings_of(made):
    evidence = Evidence(made, Overlap(), CLASSIFICATION, ["train", "eval"])
    return [*find_told_of_files(evidence), *find_look_alikes(evidence)]


ALIKE = [
    ("pos", "Pos", 'differs from "pos" by case'),
    ("pos", "p\u043es", "at character 2: U+043E CYRILLIC SMALL LETTER O, there U+006F LATIN SMALL LETTER O"),
    ("pos", "pos\u200b", "at character 4: U+200B ZERO WIDTH SPACE, there the end"),
    ("not good", "not\u00a0good", "at character 4: U+00A0 NO-BREAK SPACE, there U+0020 SPACE"),
    ("1", "\uff11", "at character 1: U+FF11 FULLWIDTH DIGIT ONE, there U+0031 DIGIT ONE"),
]


@pytest.mark.parametrize(("label", "other", "how"), ALIKE)
def test_labels_that_look_the_same(label, other, how):
    [warning] = warnings_of(reports([label, "neg", other], [label]))
    assert warning.startswith("train.tsv:4: label ") and how in warning
    with pytest.raises(DataError, match=f"eval.tsv:2: label .* does not occur in train.*{re.escape(how)}"):
        judge(reports([label, "neg"], [other]), [], CLASSIFICATION, SETTINGS)


def test_labels_that_differ_are_no_matter():
    assert warnings_of(reports(["pos", "neg", "0", "O", "l", "1"], ["pos"])) == []


def test_not_too_many_warnings():
    one, two = reports(["a", "b"], ["a"])
    one.warnings = [f"warning {number}" for number in range(15)]
    found = warnings_of([one, two])
    assert len(found) == 11 and found[-1] == "... 5 more of this kind"


def test_what_was_passed_over_is_added_up_and_comes_back():
    one, two = (FileReport.from_json(report.to_json()) for report in reports(["a", "b"], ["a"]))
    one.passed["blank lines"], two.passed["blank lines"] = 2, 1
    both = [FileReport.from_json(report.to_json()) for report in (one, two)]
    assert counts(both, CLASSIFICATION, ("train", "eval"), {"hidden names": 4})["passed_over"] == {
        "hidden names": 4,
        "blank lines": 3,
    }


def test_lines_that_a_bad_record_took_are_judged():
    train, eval_ = reports(["a", "b"], ["a"])
    train.refused, train.kept["train"] = 100, 900
    settings = DataSettings(train="a.tsv", eval="b.tsv", max_bad_fraction=0.09)
    with pytest.raises(DataError, match=r"100 of 1000 records of split train .*10.00%"):
        judge([train, eval_], [], CLASSIFICATION, settings)


@pytest.mark.parametrize(
    ("text", "seen"), [("a b", "a b"), ("\0a\u200b\n", r"\x00a\u200b\n"), ("x" * 81, "x" * 80 + "... (81 characters)")]
)
def test_names_of_the_data_are_shown_as_they_can_be(text, seen):
    assert shown(text) == seen and quoted([text]) == f'"{seen}"'
