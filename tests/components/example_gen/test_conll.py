import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen.records import BadRecord, Record
from models.registry import TASKS
from tests.components.example_gen.files import jsonl, read, write

FEATURES = TASKS["sequence_labeling"].features
EXPECTED = [(["Ann", "sings"], ["B-name", "O"]), (["#", "a"], ["O", "O"])]


def pairs(records):
    return [(list(record.values["tokens"]), list(record.values["tags"])) for record in records]


def problems(records):
    return [(record.line, record.reason) for record in records if isinstance(record, BadRecord)]


def test_all_forms_give_the_same_records(tmp_path):
    paths = [
        write(tmp_path / "a.conll", "Ann\tB-name\nsings\tO\n\n#\tO\na\tO"),
        # A mark of byte order, line ends with two characters, a gap of blanks, several gaps.
        write(tmp_path / "b.conll", b"\xef\xbb\xbfAnn B-name\r\nsings O\r\n \t\r\n\r\n# O\r\na O\r\n\r\n\r\n"),
        write(tmp_path / "c.bio", "-DOCSTART- -X- O\n\nAnn N B-name\nsings V O\n\n-DOCSTART- -X- O\n# P O\na D O\n"),
        write(tmp_path / "d.conll.gz", "# id = 1\nAnn\tS-name\nsings\tO\n# text = # a\n\n#\tO\na\tO\n"),
        write(tmp_path / "e.jsonl", jsonl(*({"tokens": t, "tags": g} for t, g in EXPECTED))),
        str(tmp_path / "f.parquet"),
    ]
    tokens, tags = zip(*EXPECTED, strict=True)
    pq.write_table(pa.table({"tokens": list(tokens), "tags": list(tags)}), paths[-1])
    for path in paths:
        assert pairs(read(FEATURES, path=path)) == EXPECTED, path


def test_a_sentence_knows_its_lines(tmp_path):
    path = write(tmp_path / "a.conll", "# one\nAnn\tB-x\n# two\nsings\tO\n\n\nBob\tB-x\n")
    assert [(record.line, record.lines) for record in read(FEATURES, path=path)] == [(2, (2, 4)), (7, (7,))]


def test_columns_by_number_from_either_end_and_by_name(tmp_path):
    rows = "1\tAnn\tN\tB-x\t_\n2\tsings\tV\tO\t_\n"
    plain = write(tmp_path / "a.conll", rows)
    for columns in ({"tokens": 2, "tags": 4}, {"tokens": "2", "tags": -2}):
        assert pairs(read(FEATURES, path=plain, columns=columns)) == [(["Ann", "sings"], ["B-x", "O"])]
    named = write(tmp_path / "b.conll", "# global.columns = ID FORM POS NER MISC\n" + rows)
    assert pairs(read(FEATURES, path=named, columns={"tokens": "FORM", "tags": "POS"}))[0][1] == ["N", "V"]
    for columns, message in (
        ({"tokens": "FROM"}, 'no column "FROM" for feature "tokens".*Did you mean "FORM"'),
        ({"tags": 6}, "no column 6 for .*first row has 5. Name one from 1 to 5"),
        ({"tags": 1}, "stand in the same column of 5"),
    ):
        with pytest.raises(DataError, match=message):
            read(FEATURES, path=named, columns=columns)
    with pytest.raises(DataError, match="The file names none"):
        read(FEATURES, path=plain, columns={"tokens": "FORM"})


def test_comments_are_what_the_settings_say(tmp_path):
    path = write(tmp_path / "a.conll", "%% note\nAnn\tB-x\n\n# x\tO\n")
    assert pairs(read(FEATURES, path=path, comment_prefix="%%")) == [(["Ann"], ["B-x"]), (["# x"], ["O"])]
    records = read(FEATURES, path=write(tmp_path / "b.conll", "Ann\tO\n\n# x\n"), comment_prefix="")
    assert problems(records) == [(3, "1 columns, with tabs between, where the first row has 2")]


def test_a_token_that_looks_like_a_comment_is_one_in_the_first_sentence_too(tmp_path):
    path = write(tmp_path / "a.conll", "Call O\n# O\n5 B-N\n\nCall O\n# O\n5 B-N\n")
    assert pairs(read(FEATURES, path=path)) == [(["Call", "#", "5"], ["O", "O", "B-N"])] * 2


def test_the_line_that_makes_a_sentence_unusable_is_named(tmp_path):
    rows = b"Ann\tB-x\nsings\n\nBob\tI-x\n\nCy\tO\na\tb\tO\n\n\tO\n\nbad\xff\tO\n"
    rows += b"\nDee\tB-x\n# note\nEd\tI-y\n\nlast\t \n\nFay\tO\n"
    records = read(FEATURES, path=write(tmp_path / "a.conll", rows), tag_scheme="bio")
    assert pairs(record for record in records if isinstance(record, Record)) == [(["Fay"], ["O"])]
    assert problems(records) == [
        (2, "1 columns, with tabs between, where the first row has 2"),
        (4, 'tag "I-x" cannot follow the beginning in scheme bio (data.tag_scheme)'),
        (7, "3 columns, with tabs between, where the first row has 2"),
        (9, '"tokens" is empty'),
        (11, "not utf-8: byte 0xff at position 4"),
        (15, 'tag "I-y" cannot follow "B-x" in scheme bio (data.tag_scheme)'),
        (17, '"tags" is empty'),
    ]
    with pytest.raises(DataError, match="a.conll:1: .* stand in the same column of 1"):
        read(FEATURES, path=write(tmp_path / "a.conll", "Ann\nsings\tO\n"))


@pytest.mark.parametrize("scheme", ["auto", "iob1"])
def test_a_scheme_is_told_by_the_file_or_by_the_settings(tmp_path, scheme):
    path = write(tmp_path / "a.conll", "Ann\tI-x\nLee\tI-x\nBob\tB-x\n")
    [record] = read(FEATURES, path=path, tag_scheme=scheme)
    assert record.values["tags"] == ["B-x", "I-x", "B-x"]
    [record] = read(FEATURES, path=path, tag_scheme="none")
    assert record.values["tags"] == ["I-x", "I-x", "B-x"]


def test_bad_lists_are_named(tmp_path):
    rows = [
        {"tokens": ["a", "b"], "tags": ["O"]},
        {"tokens": [], "tags": []},
        {"tokens": "a", "tags": ["O"]},
        {"tokens": ["a", 1], "tags": ["O", "O"]},
        {"tokens": ["a", " "], "tags": ["O", "O"]},
        {"tokens": ["a", "b"], "tags": ["O", "I-x"]},
        {"tokens": None, "tags": ["O"]},
        {"tokens": ["a"], "tags": ["B-x"]},
    ]
    records = read(FEATURES, path=write(tmp_path / "a.jsonl", jsonl(*rows)), tag_scheme="bio")
    assert pairs(records[-1:]) == [(["a"], ["B-x"])]
    assert problems(records) == [
        (1, '"tags" has 1 values where "tokens" has 2'),
        (2, '"tokens" is empty'),
        (3, '"tokens" must be a list of strings, found str'),
        (4, '"tokens" at place 2 must be a string, found int'),
        (5, '"tokens" is empty at place 2'),
        (6, 'place 2: tag "I-x" cannot follow "O" in scheme bio (data.tag_scheme)'),
        (7, '"tokens" is null'),
    ]


def test_bad_lists_of_parquet(tmp_path):
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"tokens": [["a"], None, ["b", None]], "tags": [["O"], ["O"], ["O", "O"]]}), path)
    records = read(FEATURES, path=path)
    assert pairs(records[:1]) == [(["a"], ["O"])]
    assert problems(records) == [(2, '"tokens" is empty'), (3, '"tokens" is empty at place 2')]
    pq.write_table(pa.table({"tokens": ["a b"], "tags": [["O"]]}), path)
    with pytest.raises(
        DataError, match="must hold lists of strings. Received: string. Write the column as list<string>"
    ):
        read(FEATURES, path=path)


def test_files_of_another_form_are_refused_with_what_to_give(tmp_path):
    with pytest.raises(DataError, match="The task learns from sentences: give files with a token and its tag a line"):
        read(FEATURES, path=write(tmp_path / "a.tsv", "tokens\ttags\n"))
