import pytest

from components.errors import DataError
from components.example_gen.fingerprint import data_fingerprint
from components.example_gen.input_files import input_files
from components.example_gen.reading import check_beginnings
from components.example_gen.settings import DataSettings
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, write


def find(features=CLASSIFICATION, **settings):
    return [(file.format, file.paths, file.split) for file in input_files(DataSettings(**settings), features)]


def test_globs_lists_and_suffixes(tmp_path):
    one, two = write(tmp_path / "1.tsv", "x"), write(tmp_path / "deep/2.csv.gz", "x")
    three = write(tmp_path / "3.ndjson", "x")
    assert find(train=[f"{tmp_path}/**/*.csv.gz", one], eval=three) == [
        ("csv", (two,), "train"),
        ("tsv", (one,), "train"),
        ("jsonl", (three,), "eval"),
    ]


def test_parallel_files_are_paired_by_name(tmp_path):
    paths = [write(tmp_path / name, "x") for name in ("1.de", "1.en", "2.de", "2.en")]
    found = find(TRANSLATION, path={"target": f"{tmp_path}/*.de", "source": f"{tmp_path}/*.en"})
    assert found == [("parallel", (paths[1], paths[0]), None), ("parallel", (paths[3], paths[2]), None)]


def test_a_file_name_may_look_like_a_pattern(tmp_path):
    path = write(tmp_path / "a[1].tsv", "x")
    assert find(path=path) == [("tsv", (path,), None)]


def test_mistakes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("train.tsv", "notes.txt", "folder/a.tsv", "a.en", "b.en", "a.de"):
        write(tmp_path / name, "x")
    cases = [
        ({"path": "trian.tsv"}, f'no file at trian.tsv \\(relative to {tmp_path}\\). Did you mean "train.tsv"'),
        ({"path": "missing/train.tsv"}, "the folder missing does not exist"),
        ({"path": "*.csv"}, '"data.path": no file matches \\*.csv'),
        ({"path": "folder"}, "a folder. Add a pattern, such as folder/\\*.tsv"),
        ({"path": "notes.txt"}, "the suffix of notes.txt tells no format. Known suffixes: .tsv"),
        ({"train": "train.tsv", "eval": "*.tsv"}, "train.tsv in train and eval"),
        ({"path": {"source": "a.en", "target": "a.de"}}, 'one path per feature: "text", "label".*"source", "target"'),
        ({"path": "train.tsv", "columns": {"txt": "document"}}, 'Received: "txt". Did you mean "text"'),
        ({"source": "sample:dates"}, 'text_to_text.*"text", "label"'),
    ]
    for settings, message in cases:
        with pytest.raises(DataError, match=message):
            find(**settings)
    with pytest.raises(DataError, match="source 2, target 1"):
        find(TRANSLATION, path={"source": "*.en", "target": "*.de"})
    with pytest.raises(DataError, match="file of its own per feature"):
        find(TRANSLATION, path={"source": "a.en", "target": "a.en"})


def test_fingerprint_follows_the_content_and_nothing_else(tmp_path):
    settings = DataSettings(train=write(tmp_path / "a.tsv", "one"), eval=write(tmp_path / "b.tsv", "two"))
    first = data_fingerprint(settings)
    (tmp_path / "a.tsv").touch()
    assert data_fingerprint(settings) == first
    write(tmp_path / "a.tsv", "One")
    assert data_fingerprint(settings) != first
    write(tmp_path / "a.tsv", "two")
    write(tmp_path / "b.tsv", "one")
    assert data_fingerprint(settings) != first
    (tmp_path / "b.tsv").unlink()
    with pytest.raises(DataError, match="data.eval.*no file"):
        data_fingerprint(settings)


def test_a_sample_has_a_fingerprint_without_files():
    assert len(data_fingerprint(DataSettings(source="sample:dates"))) == 64


def test_all_missing_files_are_told_at_once(tmp_path):
    with pytest.raises(DataError) as caught:
        find(train=f"{tmp_path}/a.tsv", eval=f"{tmp_path}/b.tsv")
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ['"data.train"', '"data.eval"']


def test_the_beginnings_of_all_files_are_checked(tmp_path):
    good = write(tmp_path / "good.tsv", "text\tlabel\n" + "a\tb\n" * 2000 + "cut off")
    empty = write(tmp_path / "empty.tsv", "")
    table = write(tmp_path / "table.parquet", "PAR1")

    def check(**settings):
        data = DataSettings(**settings)
        check_beginnings(input_files(data, CLASSIFICATION), CLASSIFICATION, data)

    check(path=good)  # its end is not looked at here
    with pytest.raises(DataError) as caught:
        check(train=[good, empty], eval=table)
    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{empty}: the file is empty") and second.startswith(f"{table}: not a whole Parquet file")
