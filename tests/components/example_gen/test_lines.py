"""Plain text, with labels by the files' names and without."""

import re

import pytest

from components.errors import DataError
from components.example_gen.name_rules import names_problems
from components.example_gen.settings import DataSettings
from models.features import Feature
from tests.components.example_gen.files import CLASSIFICATION, PLAIN, TRANSLATION, read, values, write

ABOUT_BOOKS = (Feature("text", "text"), Feature("genre", "label"), Feature("author", "label", optional=True))


def test_a_file_name_without_label(tmp_path):
    path = write(tmp_path / "reviews.txt", "good\n")
    with pytest.raises(DataError, match="must find a label in every file name.*'reviews.txt'"):
        read(path=path, format="lines", label_pattern="(?P<label>neg|pos)")


def test_labels_of_file_names_get_names(tmp_path):
    path = write(tmp_path / "pos.txt", "good\n")
    arguments = {"path": path, "format": "lines", "label_pattern": "(?P<label>neg|pos)"}
    assert values(read(**arguments, label_names={"pos": "gut"})) == [("good", "gut")]
    with pytest.raises(DataError, match='label "pos" is not in data.label_names \\("neg"\\)'):
        read(**arguments, label_names={"neg": "schlecht"})


def test_text_without_labels_needs_no_pattern(tmp_path):
    write(tmp_path / "a.txt", "one\n two \n")
    write(tmp_path / "b.txt.gz", "three\n")
    assert values(read(PLAIN, path=f"{tmp_path}/*", format="lines")) == [("one",), (" two ",), ("three",)]


def test_blank_lines_are_no_texts(tmp_path):
    path = write(tmp_path / "a.txt", b"\none\n\n \t\ntwo\n\xff\n\n")
    *good, bad = read(PLAIN, path=path, format="lines")
    assert [(record.values["text"], record.line) for record in good] == [("one", 2), ("two", 5)]
    assert str(bad) == f"{path}:6: not utf-8: byte 0xff at position 1"
    with pytest.raises(DataError, match="blank.txt: the file has no records"):
        read(PLAIN, path=write(tmp_path / "blank.txt", "\n\n"), format="lines")


def test_labels_have_the_names_of_the_features(tmp_path):
    for name in ("crime-doyle", "poem-"):
        write(tmp_path / f"{name}.txt", "a line\n")
    more = {"path": f"{tmp_path}/*.txt", "format": "lines", "label_pattern": r"(?P<genre>\w+)-(?P<author>\w*)"}
    assert values(read(ABOUT_BOOKS, **more)) == [("a line", "crime", "doyle"), ("a line", "poem", "")]
    named = values(read(ABOUT_BOOKS, **more, label_names={"crime": "Krimi", "poem": "Lyrik"}))
    assert named == [("a line", "Krimi", "doyle"), ("a line", "Lyrik", "")]


def test_labels_from_a_table_have_the_names_of_the_features(tmp_path):
    for name in ("1", "2"):
        write(tmp_path / f"{name}.txt", f"text {name}\n")
    table = write(tmp_path / "about.tsv", "year\tgenre\tfile\n1902\tcrime\t1.txt\n1821\tpoem\t2.txt\n")
    more = {"path": f"{tmp_path}/*.txt", "format": "lines"}
    assert values(read(ABOUT_BOOKS, **more, labels_file=table)) == [("text 1", "crime", ""), ("text 2", "poem", "")]
    write(tmp_path / "3.txt", "text 3\n")
    with pytest.raises(DataError, match=r"labels_file\" must find a genre in every file name.*'3.txt': no row for it"):
        read(ABOUT_BOOKS, **more, labels_file=table)
    write(tmp_path / "about.tsv", "file\tlabel\n")
    with pytest.raises(DataError, match='columns file and genre or author or both, once each.*"file", "label"'):
        read(ABOUT_BOOKS, **more, labels_file=table)
    write(tmp_path / "about.tsv", "file\tauthor\n")
    with pytest.raises(DataError, match='needs a "genre" for every text.*columns file and genre'):
        read(ABOUT_BOOKS, **more, labels_file=table)


def test_patterns_divide_the_files(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.txt", f"{name} 1\n{name} 2\n")
    records = read(PLAIN, path=f"{tmp_path}/*", format="lines", eval_pattern="^b", test_pattern="^c")
    assert [record.split for record in records] == ["train", "train", "eval", "eval", "test", "test"]
    with pytest.raises(DataError, match="c.txt: its name has both data.eval_pattern and data.test_pattern"):
        read(PLAIN, path=f"{tmp_path}/*", format="lines", eval_pattern="^[bc]", test_pattern="^c")


@pytest.mark.parametrize(
    ("features", "settings", "message"),
    [
        (CLASSIFICATION, {}, r"""needs a "label" for every text. Received: data.label_pattern ''.*\(\?P<label>...\)"""),
        (CLASSIFICATION, {"label_pattern": "(neg|pos)"}, r"must hold a group named label, .*Received: '\(neg\|pos\)'"),
        (ABOUT_BOOKS, {"label_pattern": "(?P<author>a)"}, 'needs a "genre" for every text'),
        (ABOUT_BOOKS, {"label_pattern": "(?P<label>a)"}, "named genre or author or both, and no other named group"),
        (
            (*ABOUT_BOOKS, Feature("year", "label", optional=True)),
            {"label_pattern": "(a)"},
            "group named genre, author or year or several, and no other",
        ),
        (
            ABOUT_BOOKS[::2],
            {"label_pattern": "(?P<author>a)", "label_names": {"a": "b"}},
            None,
        ),
        (
            (ABOUT_BOOKS[0], Feature("label", "label", optional=True), ABOUT_BOOKS[2]),
            {"label_pattern": "(?P<author>a)", "label_names": {"a": "b"}},
            r"names what a group label of .*Received: data.label_pattern '\(\?P<author>a\)'.*Add \(\?P<label>",
        ),
        (PLAIN, {"label_pattern": "(?P<label>a)"}, r"label_pattern\" is about .* features are text. .*Remove the key"),
        (PLAIN, {"labels_file": "b.tsv"}, r"labels_file\" is about .* Received: 'b.tsv'"),
    ],
)
def test_what_names_tell_must_fit_the_task(features, settings, message):
    data = DataSettings(path="a.txt", format="lines", **settings)
    problems = names_problems(data, features, data.told_format())
    assert not problems if message is None else re.search(message, *problems), problems


def test_lines_are_one_text(tmp_path):
    with pytest.raises(DataError, match='data.format lines fits tasks with one text. .*"source", "target"'):
        read(TRANSLATION, path=write(tmp_path / "a.txt", "x\n"), format="lines")
