"""Which files a run reads: hidden ones, markers and part files, folders, links, pipes, addresses."""

import os
import socket
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.input_files import input_files
from components.example_gen.passing_over import why_passed_over
from components.example_gen.reading import check_beginnings, read_file
from components.example_gen.settings import DataSettings
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, write
from tests.components.example_gen.recordings import CLASSIFICATION as RECORDINGS
from tests.components.example_gen.recordings import tar_bytes, wav_bytes

TABLE = "text\tlabel\na\tpos\n"


def find(root, features=CLASSIFICATION, **settings):
    """Names of the files, and what was passed over."""
    passed = Counter()
    files = input_files(DataSettings(**settings), features, passed)
    return [os.path.relpath(path, root) for file in files for path in file.paths], dict(passed)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.tsv", ""),
        ("deep/er/a.tsv", ""),
        ("../a.tsv", ""),
        ("_background_noise_/a.wav", ""),
        ("_take_1.wav", ""),
        (".a.tsv", "hidden names"),
        ("._a.wav", "hidden names"),
        (".ipynb_checkpoints/a.wav", "hidden names"),
        ("deep/.Trash-1000/files/a.wav", "hidden names"),
        ("__MACOSX/a.wav", "hidden names"),
        ("_temporary/0/part-0.csv", "hidden names"),
        ("_SUCCESS", "marker files"),
        ("d/_common_metadata", "marker files"),
        ("d/_committed_8123", "marker files"),
    ],
)
def test_one_rule_for_names(tmp_path, name, why):
    assert why_passed_over(name) == why
    if name.startswith(".."):
        return
    inside = tmp_path / "in"
    write(inside / "a_good.wav", wav_bytes())
    write(inside / name, wav_bytes())
    settings = {"format": "wav", "label_pattern": "(?P<label>a)"}
    count = 1 if why or not name.endswith(".wav") else 2
    for path in (str(inside), f"{inside}/**"):
        found, passed = find(inside, RECORDINGS, path=path, **settings)
        assert len(found) == count and bool(passed) == (count == 1), (path, found, passed)
    if not name.endswith("/"):
        tar = write(tmp_path / "a.tar", tar_bytes({"a_good.wav": wav_bytes(), name: wav_bytes()}))
        context = ReadContext.of(RECORDINGS, DataSettings(path=tar, **settings))
        [file] = input_files(context.data, RECORDINGS)
        assert len(list(read_file(file, context))) == count and bool(context.passed) == (count == 1)


def test_a_hidden_file_that_is_named_is_read(tmp_path):
    path = write(tmp_path / ".hidden/.a.tsv", TABLE)
    assert find(tmp_path, path=path) == ([".hidden/.a.tsv"], {})
    assert find(tmp_path, path=f"{tmp_path}/.hidden/.*.tsv") == ([".hidden/.a.tsv"], {})
    with pytest.raises(DataError, match="matches hidden and marker files only"):
        find(tmp_path, path=f"{tmp_path}/*/*.tsv")


@pytest.mark.parametrize(
    ("others", "passed"),
    [
        (["_SUCCESS", ".part-0.tsv.crc"], {"marker files": 1, "hidden names": 1}),
        (["README.md", "LICENSE", "a.tsv~", "#a.tsv#"], {"files of other kinds": 4}),
        (["clip.wav"], {"files of other kinds": 1}),
    ],
)
def test_a_star_over_mixed_names(tmp_path, others, passed):
    for name in ("part-0.tsv", "part-1.csv.gz", *others):
        write(tmp_path / name, TABLE)
    assert find(tmp_path, path=f"{tmp_path}/*") == (["part-0.tsv", "part-1.csv.gz"], passed)


PARTS = {
    "tsv": [b"", b"text\tlabel\n", b"text\tlabel\n\n"],
    "csv": [b"", b"text,label\n"],
    "jsonl": [b"", b"\n"],
}


@pytest.mark.parametrize("kind", PARTS)
def test_part_files_without_records_are_passed_over(tmp_path, kind):
    good = {"tsv": TABLE, "csv": "text,label\na,pos\n", "jsonl": '{"text": "a", "label": "pos"}\n'}[kind]
    write(tmp_path / f"part-9.{kind}", good)
    for number, content in enumerate(PARTS[kind]):
        write(tmp_path / f"part-{number}.{kind}", content)
    for settings in ({"path": f"{tmp_path}/*"}, {"path": str(tmp_path), "format": kind}):
        context = ReadContext.of(CLASSIFICATION, DataSettings(**settings))
        files = input_files(context.data, CLASSIFICATION)
        assert len([record for file in files for record in read_file(file, context)]) == 1
        assert context.passed["files without records"] == len(PARTS[kind])
        context.passed.clear()
    with pytest.raises(DataError, match="the file is empty|no records"):
        data = DataSettings(path=f"{tmp_path}/part-0.{kind}")
        check_beginnings(input_files(data, CLASSIFICATION), CLASSIFICATION, data)


def test_folders_and_partitions_of_parquet(tmp_path):
    for label, texts in {"pos": ["good", "fine"], "neg%20or%20so": ["bad"], "empty": []}.items():
        folder = tmp_path / f"data.parquet/label={label}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), folder / "part-0.parquet")
    write(tmp_path / "data.parquet/_SUCCESS", "")
    paths = [
        str(tmp_path / "data.parquet"),
        f"{tmp_path}/data.parquet/*/*",
        f"{tmp_path}/data.parquet/label=*/*.parquet",
    ]
    for path in paths:
        context = ReadContext.of(CLASSIFICATION, DataSettings(path=path))
        files = input_files(context.data, CLASSIFICATION)
        found = [tuple(record.values.values()) for file in files for record in read_file(file, context)]
        assert sorted(found) == [("bad", "neg or so"), ("fine", "pos"), ("good", "pos")]
        assert context.passed == {"files without records": 1}


@pytest.mark.parametrize(
    ("suffix", "content"), [("tsv", "text\na\n"), ("csv", "text\na\n"), ("jsonl", '{"text": "a"}\n')]
)
def test_partitions_of_other_tables(tmp_path, suffix, content):
    path = write(tmp_path / f"label=pos/a.{suffix}", content)
    context = ReadContext.of(CLASSIFICATION, DataSettings(path=path))
    [record] = read_file(*input_files(context.data, CLASSIFICATION), context)
    assert record.values == {"text": "a", "label": "pos"}


def test_a_file_is_read_once_in_a_split(tmp_path):
    write(tmp_path / "a1.tsv", TABLE)
    os.symlink("a1.tsv", tmp_path / "a2.tsv")
    paths = [f"{tmp_path}/a*.tsv", f"{tmp_path}/a1.tsv", f"{tmp_path}/./a1.tsv"]
    assert find(tmp_path, path=paths) == (["a1.tsv"], {"files named twice": 3})
    with pytest.raises(DataError, match="one split only"):
        find(tmp_path, train=paths, eval=paths[1])


def fifo(path):
    os.mkfifo(path)


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(("make", "name"), [(fifo, "a named pipe"), (unix_socket, "a socket")])
def test_what_would_wait_is_refused(tmp_path, monkeypatch, make, name):
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    make("a.wav")
    for path in ("a.wav", "*.wav", "."):
        with pytest.raises(DataError, match=f"a.wav is {name}; only regular files"):
            find(tmp_path, RECORDINGS, path=path, format="wav", label_pattern="(?P<label>a)")
    with pytest.raises(DataError, match=f"a.wav is {name}"):
        data = DataSettings(path="a.wav", format="wav", labels_file="a.wav")
        ReadContext.of(RECORDINGS, data)
    with pytest.raises(DataError, match="/dev/zero is a device"):
        find(tmp_path, path="/dev/zero", format="tsv")


def test_loops_of_links_are_refused(tmp_path):
    write(tmp_path / "one/a.wav", wav_bytes())
    write(tmp_path / "two/b.wav", wav_bytes())
    os.symlink("../two", tmp_path / "one/link")
    os.symlink("../one", tmp_path / "two/link")
    for path in (str(tmp_path), f"{tmp_path}/**/*.wav"):
        with pytest.raises(DataError, match="leads back to .*: a loop. Remove the link"):
            find(tmp_path, RECORDINGS, path=path, format="wav")
    os.symlink("self.tsv", tmp_path / "self.tsv")
    with pytest.raises(DataError, match="self.tsv: cannot be read"):
        data = DataSettings(path=f"{tmp_path}/*.tsv")
        check_beginnings(input_files(data, CLASSIFICATION), CLASSIFICATION, data)


def test_a_link_to_a_folder_beside_is_followed(tmp_path):
    write(tmp_path / "elsewhere/a.wav", wav_bytes())
    (tmp_path / "clips").mkdir()
    os.symlink("../elsewhere", tmp_path / "clips/link")
    found, _ = find(tmp_path, RECORDINGS, path=f"{tmp_path}/clips", format="wav", label_pattern="(?P<label>a)")
    assert found == ["clips/link/a.wav"]


def test_addresses(tmp_path):
    write(tmp_path / "a b.tsv", TABLE)
    assert find(tmp_path, path=f"file://{tmp_path}/a%20b.tsv") == (["a b.tsv"], {})
    assert find(tmp_path, path=f"file://localhost{tmp_path}/*.tsv") == (["a b.tsv"], {})


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("file://data/a.tsv", "must have three slashes.*or the path alone: data/a.tsv"),
        ("https://example.org/a.tsv", "not from the web.*Fetch the file first: curl -LO https://example.org/a.tsv"),
        ("nothing://a/b.tsv", '"data.path": nothing://a/b.tsv cannot be listed: '),
        ("a.zip", "no file at a.zip"),
        ("\0.tsv", "no file at"),
    ],
)
def test_addresses_that_cannot_be_read(path, message):
    with pytest.raises(DataError, match=message):
        find(".", path=path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.zip", "Unpack ZIP archives first.*tar archive"),
        ("a.xlsx", "Save the sheet as CSV"),
        ("a.json", "an object a line: set data.format jsonl"),
        ("a.mp3", "Convert recordings to WAV"),
    ],
)
def test_suffixes_of_other_formats_say_what_to_do(tmp_path, name, hint):
    with pytest.raises(DataError, match=f"tells no format. .*{hint}"):
        find(tmp_path, path=write(tmp_path / name, "x"))


def test_names_that_are_not_utf8(tmp_path):
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9_pos.tsv")
    with open(name, "wb") as stream:
        stream.write(b"text\tlabel\n\tpos\n")
    context = ReadContext.of(CLASSIFICATION, DataSettings(path=f"{tmp_path}/*"))
    [file] = input_files(context.data, CLASSIFICATION)
    [bad] = read_file(file, context)
    assert bad.reason == '"text" is empty'
    with pytest.raises(DataError, match=r"caf\\udce9_pos.tsv: no column") as caught:
        check_beginnings(input_files(context.data, TRANSLATION), TRANSLATION, context.data)
    str(caught.value).encode()


def test_a_label_in_a_name_that_is_not_utf8(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav"), "wb") as stream:
        stream.write(wav_bytes())
    data = DataSettings(path=f"{tmp_path}/*", format="wav", label_pattern=r"(?P<label>[^/]+)\.wav")
    [bad] = read_file(*input_files(data, RECORDINGS), ReadContext.of(RECORDINGS, data))
    assert bad.reason == '"label" is not utf-8 in the name of the file'
