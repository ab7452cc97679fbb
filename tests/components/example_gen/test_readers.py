import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen.records import BadRecord
from models.features import Feature
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, jsonl, read, values, write

EXPECTED = [('say "yes"', "1"), ("좋다, 정말", "0")]


def test_all_formats_give_the_same_records(tmp_path):
    write(tmp_path / "a.tsv", 'id\ttext\tlabel\n7\tsay "yes"\t1\n8\t좋다, 정말\t0\n')
    write(tmp_path / "b.csv.gz", 'text,label\n"say ""yes""",1\n"좋다, 정말",0\n')
    write(tmp_path / "c.jsonl", jsonl({"text": 'say "yes"', "label": 1}, {"text": "좋다, 정말", "label": "0"}))
    pq.write_table(pa.table({"label": [1, 0], "text": [text for text, _ in EXPECTED]}), tmp_path / "d.parquet")
    write(tmp_path / "e.1.txt", 'say "yes"\n')
    write(tmp_path / "e.0.txt", "좋다, 정말\n")
    for name in ("a.tsv", "b.csv.gz", "c.jsonl", "d.parquet"):
        assert values(read(path=str(tmp_path / name))) == EXPECTED, name
    lines = read(path=str(tmp_path / "e.*.txt"), format="lines", label_pattern=r"e\.(?P<label>[01])")
    assert sorted(values(lines)) == sorted(EXPECTED)


def test_a_column_for_slices_may_be_empty_or_a_number_and_all_formats_give_the_same(tmp_path):
    features = (*CLASSIFICATION, Feature("year", "column"))
    write(tmp_path / "a.tsv", "text\tlabel\tyear\ngood\t1\t2001\nbad\t0\t \n")
    write(tmp_path / "b.csv", "year,text,label\n2001,good,1\n,bad,0\n")
    write(
        tmp_path / "c.jsonl",
        jsonl({"text": "good", "label": 1, "year": 2001}, {"text": "bad", "label": 0, "year": None}),
    )
    pq.write_table(pa.table({"label": [1, 0], "text": ["good", "bad"], "year": [2001, None]}), tmp_path / "d.parquet")
    for name in ("a.tsv", "b.csv", "c.jsonl", "d.parquet"):
        assert values(read(features, path=str(tmp_path / name))) == [("good", "1", "2001"), ("bad", "0", "")], name


def test_a_column_for_slices_must_be_there_and_stand_in_a_table(tmp_path):
    features = (*CLASSIFICATION, Feature("year", "column"))
    with pytest.raises(DataError, match='no column "year" for feature "year"'):
        read(features, path=write(tmp_path / "a.tsv", "text\tlabel\ngood\t1\n"))
    [bad] = read(features, path=write(tmp_path / "a.jsonl", jsonl({"text": "good", "label": 1})))
    assert str(bad).endswith('a.jsonl:1: no key "year"; keys there: "text", "label".')
    with pytest.raises(DataError, match="year"):
        read(features, path=write(tmp_path / "e.1.txt", "good\n"), format="lines", label_pattern=r"e\.(?P<label>1)")


def test_the_record_knows_its_file_and_line(tmp_path):
    path = write(tmp_path / "a.csv", 'text,label\n"two\nlines",1\nlast,0\n')
    assert [(record.file, record.line) for record in read(path=path)] == [(path, 2), (path, 4)]


def test_a_quote_in_tsv_is_only_a_character(tmp_path):
    path = write(tmp_path / "a.tsv", 'text\tlabel\n"open\t1\nit"s\t0\n"all"\t1\n')
    assert values(read(path=path)) == [('"open', "1"), ('it"s', "0"), ('"all"', "1")]


def test_line_ends_and_byte_order_mark(tmp_path):
    path = write(tmp_path / "a.tsv", b"\xef\xbb\xbftext\tlabel\r\na\xe2\x80\xa8b\t1\r\nc\xc2\x85d\t0")
    assert values(read(path=path)) == [("a\u2028b", "1"), ("c\x85d", "0")]


def test_columns_map_features(tmp_path):
    path = write(tmp_path / "a.tsv", "document\tlabel\ngood\t1\n")
    assert values(read(path=path, columns={"text": "document"})) == [("good", "1")]


def test_another_encoding(tmp_path):
    path = write(tmp_path / "a.tsv", "text\tlabel\n좋다\t1\n".encode("cp949"))
    assert values(read(path=path, encoding="cp949")) == [("좋다", "1")]
    bad = read(path=write(tmp_path / "b.tsv", "text\tlabel\n좋다\t1\n".encode("cp949")))
    assert str(bad[0]).endswith("b.tsv:2: not utf-8: byte 0xc1 at position 1")


def test_parallel_lines_are_paired(tmp_path):
    source = write(tmp_path / "a.en.gz", "1\n2\x0c\n")
    target = write(tmp_path / "a.de", "eins\r\nzwei\r\n")
    assert values(read(TRANSLATION, path={"target": target, "source": source})) == [
        ("1", "eins"),
        ("2\x0c", "zwei"),
    ]


def reasons(records):
    return [(record.line, record.reason) for record in records if isinstance(record, BadRecord)]


def test_bad_rows_of_a_table(tmp_path):
    rows = b"text\tlabel\ngood\t1\nno label\n\n \t1\ngood\t\nbad \xff\t0\nx\ty\tz\nlast\t0\n"
    records = read(path=write(tmp_path / "a.tsv", rows))
    assert [record.line for record in records if not isinstance(record, BadRecord)] == [2, 9]
    assert reasons(records) == [
        (3, '1 fields where the header has 2 ("text", "label")'),
        (5, '"text" is empty'),
        (6, '"label" is empty'),
        (7, "not utf-8: byte 0xff at position 5"),
        (8, '3 fields where the header has 2 ("text", "label")'),
    ]


def test_bad_rows_of_csv(tmp_path):
    rows = b'text,label\n"a"b,1\n"x\n\xff",1\ngood,0\n"never closed,1\n'
    records = read(path=write(tmp_path / "a.csv", rows))
    assert values(record for record in records if not isinstance(record, BadRecord)) == [("good", "0")]
    assert reasons(records) == [
        (2, "not CSV: ',' expected after '\"'"),
        (4, "not utf-8: byte 0xff at position 1"),
        (6, "a quote is never closed"),
    ]


def test_bad_lines_of_jsonl(tmp_path):
    rows = '{"text": "a"}\n{"text": \n[1]\n\n{"text": 3, "label": 1}\n{"text": null, "label": true}\n'
    rows += '{"txt": "a", "label": 1}\n{"text": "\\ud83d", "label": 1}\n{"text": "a", "label": false}\n'
    records = read(path=write(tmp_path / "a.jsonl", rows))
    assert values(record for record in records if not isinstance(record, BadRecord)) == [("a", "false")]
    assert reasons(records) == [
        (1, 'no key "label"; keys there: "text".'),
        (2, "not JSON: Expecting value: line 1 column 10 (char 9)"),
        (3, "a JSON object is needed, found list"),
        (5, '"text" must be a string, found int'),
        (6, '"text" is null'),
        (7, 'no key "text"; keys there: "txt", "label". Did you mean "text"?'.replace('"text"?', '"txt"?')),
        (8, '"text" holds half of a surrogate pair'),
    ]


def test_bad_rows_of_parquet(tmp_path):
    texts = pa.array([b"good", b"\xff", None]).view(pa.string())
    labels = pa.array(["1", "1", "0"]).dictionary_encode()
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "a.parquet")
    records = read(path=str(tmp_path / "a.parquet"))
    assert values(records[:1]) == [("good", "1")]
    assert reasons(records) == [(2, '"text" is not utf-8: byte at position 1'), (3, '"text" is null')]


def test_bad_lines_of_parallel_text_name_the_side(tmp_path):
    source = write(tmp_path / "a.en", b"one\n\nthree\n")
    target = write(tmp_path / "a.de", b"eins\nzwei\n\xffdrei\n")
    records = read(TRANSLATION, path={"source": source, "target": target})
    assert [str(record) for record in records[1:]] == [
        f'{source}:2: "source" is empty',
        f"{target}:3: not utf-8: byte 0xff at position 1",
    ]


def damaged(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return str(path)


def test_a_file_that_cannot_be_used_is_an_error(tmp_path):
    write(tmp_path / "cut.tsv.gz", "text\tlabel\n" + "".join(f"text {n * 7919}\t{n % 2}\n" for n in range(5000)))
    write(tmp_path / "plain.tsv.gz", "")
    (tmp_path / "plain.tsv.gz").write_bytes(b"text\tlabel\n")
    flipped = bytearray(gzip.compress(b"text\tlabel\ngood\t1\n"))
    flipped[-6] ^= 255
    (tmp_path / "flipped.tsv.gz").write_bytes(flipped)
    pq.write_table(pa.table({"text": ["a"] * 99, "label": ["1"] * 99}), tmp_path / "cut.parquet")
    pq.write_table(pa.table({"text": [1.5], "label": ["1"]}), tmp_path / "float.parquet")
    cases = {
        damaged(tmp_path / "cut.tsv.gz"): "cut.tsv.gz: not a whole gzip file",
        str(tmp_path / "plain.tsv.gz"): "plain.tsv.gz: not a whole gzip file",
        str(tmp_path / "flipped.tsv.gz"): "flipped.tsv.gz: not a whole gzip file.*CRC",
        damaged(tmp_path / "cut.parquet"): "cut.parquet: not a whole Parquet file",
        str(tmp_path / "float.parquet"): 'column "text" .* must hold strings. Received: double',
        write(tmp_path / "empty.tsv", ""): "empty.tsv: the file is empty",
        write(tmp_path / "header.tsv", "text\tlabel\n"): "header.tsv: the file has no records",
        write(tmp_path / "utf16.tsv", "text\tlabel\n".encode("utf-16")): "the file is UTF-16. Convert it first: iconv",
        write(tmp_path / "twice.csv", "text,text,label\na,b,1\n"): 'names column "text" more than once',
        write(
            tmp_path / "other.tsv", "texts\tlabel\na\t1\n"
        ): 'no column "text" for feature "text". Columns there: "texts", "label". Did you mean "texts".*data.columns',
    }
    for path, message in cases.items():
        with pytest.raises(DataError, match=message):
            read(path=path)


def test_parallel_files_of_unequal_length(tmp_path):
    source = write(tmp_path / "a.en", "one\ntwo\nthree\nfour\n")
    target = write(tmp_path / "a.de", "eins\nzwei\n")
    with pytest.raises(DataError, match=f"{source} has 4, {target} has 2"):
        read(TRANSLATION, path={"source": source, "target": target})
