"""What a file is by its first bytes: packed ones are read whatever their names say, others are named."""

import bz2
import gzip
import io
import lzma
import re
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from components.errors import DataError
from components.example_gen.first_bytes import content_of, not_text
from components.example_gen.records import BadRecord
from tests.components.example_gen.files import read, values
from tests.components.example_gen.recordings import CLASSIFICATION, tar_bytes, wav_bytes

PACKED = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: (
        zstandard.ZstdCompressor().compress(content[:5])
        + zstandard.ZstdCompressor(write_checksum=True).compress(content[5:])
    ),
}
NAMES = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}
TABLE = b"text\tlabel\n" + b"".join(b"text %d\tpos\n" % (number * 7919) for number in range(2000))


def parquet():
    stream = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"], "label": ["pos"]}), stream)
    return stream.getvalue()


def zipped(name, content=b"x"):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def put(path, content):
    """As it is: `files.write` would pack what ends in .gz."""
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.{}", "A.TSV.GZ", "a.tsv.bz2"])
def test_packed_tables_are_read_whatever_they_are_called(tmp_path, packing, name):
    path = put(tmp_path / name.format(packing), PACKED[packing](TABLE))
    assert len(values(read(path=path))) == 2000


@pytest.mark.parametrize("packing", PACKED)
def test_packed_files_of_other_formats(tmp_path, packing):
    pack = PACKED[packing]
    assert values(read(path=put(tmp_path / f"a.parquet.{packing}", pack(parquet())))) == [("a", "pos")]
    sound = {"label_pattern": r"(?P<label>\d)", "features": CLASSIFICATION}
    for name, content in (
        (f"1.wav.{packing}", pack(wav_bytes())),
        ("1.wav", pack(wav_bytes())),
        (f"1.tar.{packing}", pack(tar_bytes({"1.wav": wav_bytes()}))),
        ("1.wav", tar_bytes({"1.wav.gz": gzip.compress(wav_bytes())})),
    ):
        [record] = read(path=put(tmp_path / name, content), **sound)
        assert record.values["label"] == "1", name


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-20], lambda whole: whole[: len(whole) // 2], lambda whole: b"x"]
)
def test_packed_files_that_are_not_whole(tmp_path, packing, damage):
    path = put(tmp_path / f"a.tsv.{packing}", damage(PACKED[packing](TABLE)))
    with pytest.raises(DataError, match=f"a.tsv.{packing}: not a whole {NAMES[packing]} file"):
        read(path=path)


def test_a_text_that_begins_like_a_packed_file_is_a_text(tmp_path):
    assert values(read(path=put(tmp_path / "a.tsv", b"BZh91\ttext\tlabel\n1\ta\tpos\n"))) == [("a", "pos")]


FOREIGN = [
    (zipped("a.csv"), "a ZIP archive. Unpack it first: unzip FILE"),
    (zipped("[Content_Types].xml"), "an Office file"),
    (zipped("xl/workbook.xml"), "an Office file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office file"),
    (parquet(), "Parquet. Set data.format parquet"),
    (tar_bytes({"a.tsv": b"x"}), "a tar archive"),
    (b"ARROW1\0\0", "an Arrow"),
    (b"Obj\x01\x02", "Avro"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY\x01\0", "a NumPy array"),
    (b"\x80\x04\x95\x10", "a Python pickle"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-1.7\n", "a PDF"),
    (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
    (b"Rar!\x1a\x07\x01\0", "a RAR archive"),
    (b"\x04\x22\x4d\x18abc", "packed with lz4"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
    (wav_bytes(), "a WAV recording"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
]
SOUNDS = [
    (wav_bytes(container="FLAC"), "FLAC"),
    (wav_bytes(container="AIFF"), "AIFF"),
    (wav_bytes(container="AU"), "AU"),
    (wav_bytes(container="CAF"), "CAF"),
    (wav_bytes(container="OGG", subtype="VORBIS"), "Ogg"),
    (b"ID3\x03\0\0\0\0\0\0\xff\xfb\x90\x64" + bytes(500), "MP3"),
    (b"\xff\xfb\x90\x64" + bytes(500), "MP3"),
    (b"\xff\xf1\x50\x80" + bytes(500), "AAC"),
    (b"\0\0\0 ftypM4A " + bytes(500), "M4A"),
    (b"\x1aE\xdf\xa3" + bytes(500), "WebM"),
    (b"NIST_1A\n   1024\n" + bytes(500), "NIST SPHERE"),
    (b"#!AMR\n" + bytes(500), "AMR"),
    (b"<!DOCTYPE html><html>", "a web page"),
    (zipped("a.wav"), "a ZIP archive"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
]


@pytest.mark.parametrize(("content", "name"), FOREIGN)
@pytest.mark.parametrize("kind", ["tsv", "csv", "jsonl"])
def test_other_files_under_the_name_of_a_text(tmp_path, kind, content, name):
    with pytest.raises(DataError, match=re.escape(name)):
        read(path=put(tmp_path / f"a.{kind}", content))
    with pytest.raises(DataError, match=re.escape(name)):
        read(path=put(tmp_path / f"a.{kind}.gz", gzip.compress(content)))


@pytest.mark.parametrize(("content", "name"), SOUNDS)
def test_other_files_under_the_name_of_a_recording(tmp_path, content, name):
    [bad] = read(CLASSIFICATION, path=put(tmp_path / "1.wav", content), label_pattern=r"(?P<label>\d)")
    assert isinstance(bad, BadRecord) and name in bad.reason, bad


@pytest.mark.parametrize(
    ("content", "name"), [(b"text\tlabel\n", 'begins with "text"'), (zipped("a"), "a ZIP archive")]
)
def test_other_files_under_the_name_of_parquet(tmp_path, content, name):
    with pytest.raises(DataError, match=f"not a whole Parquet file .*{name}"):
        read(path=put(tmp_path / "a.parquet", content))


@pytest.mark.parametrize(
    "text",
    [
        "text\tlabel\n",
        "PARTY\n",
        "ORCA\n",
        "Objects\n",
        "좋다 영화\n",
        "ID3\t1\n",
        "OggS\n",
        "<html>",
        "\x0c\x1b$B",
        "a",
    ],
)
def test_texts_are_texts(text):
    for encoding in ("utf-8", "cp949", "utf-8-sig"):
        assert not not_text(text.encode(encoding) * 30), encoding
    assert content_of(text.encode()) is None


def test_noise_is_no_text(tmp_path):
    with pytest.raises(DataError, match="the file is not text"):
        read(path=put(tmp_path / "a.tsv", bytes(range(256)) * 10))
