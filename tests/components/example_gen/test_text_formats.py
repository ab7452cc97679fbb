"""What holds for text in every format: blank lines, line ends, marks, encodings, long lines, labels."""

import json

import pytest

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.input_files import input_files
from components.example_gen.reading import read_file
from components.example_gen.records import BadRecord
from components.example_gen.settings import DataSettings
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, read, write

ROWS = [("good film", "pos"), ("bad film", "neg"), ("좋다", "pos")]
LINES = {
    "tsv": ["text\tlabel", *map("\t".join, ROWS)],
    "csv": ["text,label", *map(",".join, ROWS)],
    "jsonl": [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in ROWS],
    "txt": [text for text, _ in ROWS],
}
MORE = {"txt": {"format": "lines", "label_pattern": "(?P<label>pos)"}}


def read_text(folder, kind, content, **settings):
    """All records, and what was passed over."""
    path = write(folder / f"pos.{kind}", content)
    data = DataSettings(path=path, **MORE.get(kind, {}), **settings)
    context = ReadContext.of(CLASSIFICATION, data)
    [file] = input_files(data, CLASSIFICATION)
    return list(read_file(file, context)), context


def texts(records):
    assert not [record for record in records if isinstance(record, BadRecord)], records
    return [record.values["text"] for record in records]


ALL = [text for text, _ in ROWS]
BLANK = ["", " ", "\t", " \t \u3000"]


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("blank", BLANK)
@pytest.mark.parametrize("at", [0, 1, -1])
def test_a_blank_line_is_no_record(tmp_path, kind, blank, at):
    lines = list(LINES[kind])
    lines.insert(at if at >= 0 else len(lines), blank)
    records, context = read_text(tmp_path, kind, "\n".join(lines) + "\n")
    assert texts(records) == ALL
    assert context.passed == {"blank lines": 1}
    assert len({record.line for record in records}) == 3


@pytest.mark.parametrize(("kind", "row"), [("csv", ","), ("csv", '"",""'), ("tsv", "\t"), ("csv", " , ")])
def test_a_row_of_empty_cells_is_no_record(tmp_path, kind, row):
    records, context = read_text(tmp_path, kind, "\n".join([*LINES[kind], row]))
    assert (texts(records), context.passed["blank lines"]) == (ALL, 1)


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"], ids=["LF", "CR LF", "CR", "CR CR LF"])
@pytest.mark.parametrize("last", [True, False])
def test_every_line_end_that_holds_throughout(tmp_path, kind, end, last):
    records, _ = read_text(tmp_path, kind, end.join(LINES[kind]) + end * last)
    assert texts(records) == ALL


@pytest.mark.parametrize("kind", LINES)
def test_line_ends_that_change_are_refused(tmp_path, kind):
    """A whole file behind one line must not be one record."""
    first, second, *rest = LINES[kind]
    for content in (f"{first}\n{second}\r" + "\r".join(rest), f"{first}\r{second}\n" + "\n".join(rest)):
        try:
            records, _ = read_text(tmp_path, kind, content)
        except DataError as error:
            assert "header" in str(error) or "no records" in str(error)
        else:
            reasons = [record.reason for record in records if isinstance(record, BadRecord)]
            assert reasons and all("(CR)" in reason or "(LF)" in reason or "fields" in reason for reason in reasons)
            assert len(records) - len(reasons) <= 2


@pytest.mark.parametrize("kind", LINES)
def test_the_marks_of_files_that_were_put_together_are_dropped(tmp_path, kind):
    mark = "\ufeff"
    lines = LINES[kind]
    records, _ = read_text(tmp_path, kind, "".join(f"{mark}{line}\n" for line in lines))
    assert texts(records) == ALL


@pytest.mark.parametrize(("kind", "mark"), [("tsv", ""), ("csv", ""), ("csv", "\ufeff")])
def test_a_header_that_comes_again_is_no_record(tmp_path, kind, mark):
    header, *rows = LINES[kind]
    records, context = read_text(tmp_path, kind, "\n".join([header, *rows[:2], mark + header, *rows[2:]]))
    assert texts(records) == ALL
    assert context.passed == {"repeated headers": 1}


@pytest.mark.parametrize("kind", LINES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_named(tmp_path, kind, encoding):
    content = "\n".join(LINES[kind] * 4).encode(encoding)
    with pytest.raises(DataError, match=f"the file is {encoding[:6].upper()}.*iconv -f {encoding[:6].upper()}"):
        read_text(tmp_path, kind, content)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_without_end_is_refused_and_not_held(tmp_path, kind):
    long = "x" * (3 << 20)
    lines = [LINES[kind][0], f'{{"text": "{long}"}}' if kind == "jsonl" else long, *LINES[kind][1:]]
    records, _ = read_text(tmp_path, kind, "\n".join(lines), max_record_megabytes=1)
    [bad] = [record for record in records if isinstance(record, BadRecord)]
    assert bad.line == 2 and "max_record_megabytes" in bad.reason
    whole, _ = read_text(tmp_path, kind, "\n".join(lines), max_record_megabytes=4)
    assert "max_record_megabytes" not in str([record for record in whole if isinstance(record, BadRecord)])


@pytest.mark.parametrize(
    ("source", "target", "pairs"),
    [
        ("one\ntwo\n\n", "eins\nzwei\n\n", 2),
        ("one\n\ntwo\n", "eins\n \nzwei\n", 2),
        ("one\ntwo\n\n\n", "eins\nzwei", 2),
        ("one\rtwo\r", "eins\nzwei\n", 2),
        ("one\rtwo\r", "eins\rzwei", 2),
    ],
)
def test_parallel_text(tmp_path, source, target, pairs):
    paths = {"source": write(tmp_path / "a.en", source), "target": write(tmp_path / "a.de", target)}
    records = read(TRANSLATION, path=paths)
    assert [tuple(record.values.values()) for record in records] == [("one", "eins"), ("two", "zwei")][:pairs]


def test_parallel_text_with_a_carriage_return_inside(tmp_path):
    source, target = write(tmp_path / "a.en", "one\rand\ntwo\n"), write(tmp_path / "a.de", "eins\nzwei\n")
    first, second = read(TRANSLATION, path={"source": source, "target": target})
    assert str(first).startswith(f"{source}:1: a carriage return (CR) inside the line")
    assert second.values["source"] == "two"
    write(tmp_path / "a.de", "eins\nund\nzwei\n")
    with pytest.raises(DataError, match="a.en has 2, .*a.de has 3.*a.en:1 holds carriage returns"):
        read(TRANSLATION, path={"source": source, "target": target})


@pytest.mark.parametrize(
    ("label", "plain"), [("pos ", "pos"), (" pos", "pos"), ("pos\u00a0", "pos"), ("cafe\u0301", "caf\u00e9")]
)
def test_labels_are_compared_trimmed_and_in_one_form(tmp_path, label, plain):
    records, context = read_text(tmp_path, "tsv", f"text\tlabel\na\t{label}\nb\t{plain}\n")
    assert {record.values["label"] for record in records} == {plain}
    [warning] = context.warnings.values()
    assert 'pos.tsv:2: label "' in warning and f'is taken as "{plain}"' in warning


@pytest.mark.parametrize(
    ("kind", "content", "settings", "message"),
    [
        ("csv", "text;label\na;1\n", {}, 'Set "data.delimiter" to ";"'),
        ("csv", "text\tlabel\na\t1\n", {}, r'Set "data.delimiter" to "\\t"'),
        ("tsv", "text,label\na,1\n", {}, 'Set "data.delimiter" to ","'),
        ("tsv", '"text"\t"label"\na\t1\n', {}, 'They stand in quotes: set "data.quoting" to minimal'),
        ("csv", "\0text,label\na,1\n", {}, r'Columns there: "\\x00text", "label"'),
        ("csv", "x" * 200_000 + "\n1\n", {}, r"\.\.\. \(200000 characters\)"),
        ("csv", '"text,label\na,1\n', {}, "the header line is a quote is never closed"),
        ("jsonl", '[{"text": "a", "label": 1}]', {}, "the file is one JSON array; .*jq -c"),
        ("jsonl", '[\n{"text": "a", "label": 1}\n]', {}, "the file is one JSON array"),
    ],
)
def test_a_file_that_is_read_the_wrong_way_says_the_right_one(tmp_path, kind, content, settings, message):
    with pytest.raises(DataError, match=message):
        read_text(tmp_path, kind, content, **settings)


@pytest.mark.parametrize(
    ("kind", "content", "settings"),
    [
        ("csv", "text;label\nsay, yes;1\n", {"delimiter": ";"}),
        ("csv", '"text"|"label"\n"say, yes"|1\n', {"delimiter": "|"}),
        ("csv", "text,label\nsay; yes,1\n", {"quoting": "none"}),
        ("tsv", '"text"\tlabel\n"say, yes"\t1\n', {"quoting": "minimal"}),
        ("tsv", "text;label\nsay, yes;1\n", {"delimiter": ";"}),
    ],
)
def test_delimiter_and_quoting(tmp_path, kind, content, settings):
    [record], context = read_text(tmp_path, kind, content, **settings)
    assert record.values["text"].replace(";", ",") == "say, yes" and record.values["label"] == "1"
    assert not context.warnings


def test_cells_that_look_quoted_are_told(tmp_path):
    _, context = read_text(tmp_path, "tsv", 'text\tlabel\n"all"\t0\n"say ""yes"""\t1\n"say ""no"""\t1\n')
    [warning] = context.warnings.values()
    assert 'pos.tsv:3: the cell "say ""yes""" looks quoted' in warning and "data.quoting: minimal" in warning


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "a", "text": "b", "label": 1}', 'the key "text" stands there more than once'),
        ('{"text": null, "label": 1}', '"text" is null'),
        ('{"text": "a", "label": null}', '"label" is null'),
        ('{"\\udce9": 1}', r'no key "text"; keys there: "\udce9".'),
        ("[" * 100_000, "not JSON: nested too deep"),
        ('{"text": "a", "label": ' + "9" * 5000 + "}", '"label" must be a string, found float'),
    ],
)
def test_lines_of_json(tmp_path, line, reason):
    [bad], _ = read_text(tmp_path, "jsonl", line + "\n")
    assert bad.reason.startswith(reason)


@pytest.mark.parametrize("extra", ["9" * 5000, '{"text": 1, "text": 2}', "NaN", "1e999"])
def test_what_stands_under_other_keys_of_json_is_no_matter(tmp_path, extra):
    records, _ = read_text(tmp_path, "jsonl", f'{{"text": "a", "label": 1, "n": {extra}}}\n')
    assert texts(records) == ["a"]
