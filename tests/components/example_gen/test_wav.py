import gzip
import io
import re
import struct
import tarfile

import numpy as np
import pytest

from components.errors import DataError
from components.example_gen.records import BadRecord
from models.audio_settings import AudioSettings
from tests.components.example_gen.files import read, write
from tests.components.example_gen.recordings import (
    CLASSIFICATION,
    GENERATION,
    RATE,
    tar_bytes,
    tone,
    wav_bytes,
    write_wav,
)

AUDIO = AudioSettings(sample_rate=RATE)
PATTERN = r"(?P<label>\d)_(?P<speaker>\w+)_"


def read_audio(audio=AUDIO, features=GENERATION, **settings):
    return read(features, audio, **settings)


def reason(path, audio=AUDIO, features=GENERATION, **settings):
    """Why the one recording of a file is refused."""
    [record] = read_audio(audio, features, path=path, **settings)
    assert isinstance(record, BadRecord), record
    assert (record.file, record.line) == (path, 0)
    assert str(record) == f"{path}: {record.reason}"
    return record.reason


@pytest.mark.parametrize(
    ("subtype", "container", "step"),
    [
        ("PCM_U8", "WAV", 2**-7),
        ("PCM_16", "WAV", 2**-15),
        ("PCM_24", "WAV", 2**-23),
        ("PCM_32", "WAV", 2**-24),
        ("FLOAT", "WAV", 2**-24),
        ("DOUBLE", "WAV", 2**-24),
        ("PCM_24", "WAVEX", 2**-23),
    ],
)
def test_every_sample_format_comes_back(tmp_path, subtype, container, step):
    path = write_wav(tmp_path / "a.wav", subtype=subtype, container=container)
    [record] = read_audio(path=path)
    audio = record.values["audio"]
    assert (audio.dtype, audio.shape) == (np.float32, (800,))
    np.testing.assert_allclose(audio, tone(), atol=step)
    assert (record.values["label"], record.values["speaker"]) == ("", "")
    assert (record.file, record.line) == (path, 0)


def test_channels_are_mixed_down(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.stack([tone(), 0 * tone(), tone() / 2], axis=1), subtype="FLOAT")
    [record] = read_audio(path=path)
    np.testing.assert_allclose(record.values["audio"], tone() / 2, atol=1e-6)


@pytest.mark.parametrize("rate", [4000, 11025, 44100])
def test_another_rate_is_resampled(tmp_path, rate):
    path = write_wav(tmp_path / "a.wav", tone(0.5, rate), rate=rate, subtype="FLOAT")
    [record] = read_audio(path=path)
    audio = record.values["audio"]
    assert abs(len(audio) - 4000) <= 1
    middle = slice(500, 3500)  # the ends ring
    np.testing.assert_allclose(audio[middle], tone(0.5)[middle], atol=2e-3)


def test_another_rate_is_refused_where_resampling_is_off(tmp_path):
    audio = AudioSettings(sample_rate=RATE, resample=False)
    assert len(read_audio(audio, path=write_wav(tmp_path / "a.wav"))) == 1
    path = write_wav(tmp_path / "b.wav", rate=11025)
    assert reason(path, audio) == "its rate is 11025 Hz; audio.sample_rate is 8000 and audio.resample is off"


CUT = wav_bytes()[:-100]
LATER_CHUNK = b"LIST" + struct.pack("<I", 5) + b"INFO\0\0"
UNKNOWN_LENGTH = wav_bytes().replace(b"data" + struct.pack("<I", 1600), b"data\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello" * 100, "not a WAV file: it begins otherwise"),
        (wav_bytes()[:30], "broken header: .*data"),
        (wav_bytes(np.zeros(0)), "holds no samples"),
        (CUT, "cut off: the header promises 1600 bytes of sound, 1500 are there"),
        ((wav_bytes()[:36] + LATER_CHUNK + wav_bytes()[36:])[:-100], "cut off: the header promises 1600 bytes"),
        (wav_bytes()[:24] + bytes(4) + wav_bytes()[28:], "broken header"),
        (wav_bytes(subtype="ALAW"), "unsupported codec: ALAW in WAV"),
        (wav_bytes(subtype="IMA_ADPCM"), "unsupported codec: IMA_ADPCM in WAV"),
        (wav_bytes(container="FLAC"), "not a WAV file: its content is FLAC. Convert it"),
        (wav_bytes()[:20] + b"\x61\x01" + wav_bytes()[22:], "unsupported codec: WAV format 0x0161"),
        (wav_bytes(np.array([0.1, np.nan] * 400), subtype="FLOAT"), "not finite"),
        (wav_bytes(np.clip(tone(peak=2.0), -1, 1)), r"clipped: .*% of its samples.*max_clipped_fraction allows 1.00%"),
        (wav_bytes(tone(0.04)), "too short: 0.040 s; audio.min_seconds is 0.05"),
        (wav_bytes(tone(2.01)), "too long: 2.010 s; audio.max_seconds is 2.0"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path, content, message):
    audio = AudioSettings(sample_rate=RATE, max_seconds=2.0)
    found = reason(write(tmp_path / "a.wav", content), audio)
    assert re.search(message, found), found


@pytest.mark.parametrize(
    "content", [UNKNOWN_LENGTH, wav_bytes() + LATER_CHUNK, wav_bytes()[:36] + LATER_CHUNK + wav_bytes()[36:]]
)
def test_odd_but_whole_files_are_read_whole(tmp_path, content):
    [record] = read_audio(path=write(tmp_path / "a.wav", content))
    np.testing.assert_allclose(record.values["audio"], tone(), atol=1e-4)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_clipping_on_the_upper_side_alone_is_seen_in_every_sample_format(tmp_path, subtype):
    path = write_wav(tmp_path / "a.wav", np.clip(tone(peak=2.0), -0.5, 1), subtype=subtype)
    assert reason(path).startswith("clipped: ")


def test_what_is_loud_in_places_is_not_clipped(tmp_path):
    """Peaks at full scale, as after normalisation, are no runs."""
    peaks = np.tile([1.0, 1.0, 0.0, -1.0, -1.0, 0.0], 200)
    assert len(read_audio(path=write_wav(tmp_path / "a.wav", peaks))) == 1
    [record] = read_audio(path=write_wav(tmp_path / "b.wav", 1.5 * peaks, subtype="FLOAT"))
    assert np.abs(record.values["audio"]).max() == 1.0


def test_a_folder_means_all_recordings_below_it(tmp_path):
    for name in ("7_ann_0.wav", "deep/er/8_bob_1.WAV"):
        write_wav(tmp_path / "clips" / name)
    write(tmp_path / "clips/notes.txt", "x")
    records = read_audio(path=str(tmp_path / "clips"), format="wav", label_pattern=PATTERN)
    assert [(record.values["label"], record.values["speaker"]) for record in records] == [("7", "ann"), ("8", "bob")]
    assert [record.split_key for record in records] == ["7_ann_0.wav", "deep/er/8_bob_1.WAV"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match='"data.path": no file in .*empty or below ends in .wav'):
        read_audio(path=str(tmp_path / "empty"), format="wav")
    with pytest.raises(DataError, match=r"a folder.*or set data.format \(.*wav\)"):
        read_audio(path=str(tmp_path / "clips"))


def test_a_label_may_be_the_folder_below_a_pattern(tmp_path):
    for name in ("yes/1.wav", "no/2.wav"):
        write_wav(tmp_path / "clips" / name)
    records = read_audio(path=f"{tmp_path}/clips/*/*.wav", label_pattern=r"^(?P<label>\w+)/")
    assert [record.values["label"] for record in records] == ["no", "yes"]


@pytest.mark.parametrize(("suffix", "compression"), [("tar", ""), ("tar.gz", "gz"), ("tgz", "gz")])
def test_an_archive(tmp_path, suffix, compression):
    members = {"README": b"x", "r/7_ann_0.wav": wav_bytes(), "./r/8_bob_1.wav": wav_bytes(), "r/9_cy_2.wav": b""}
    path = tmp_path / f"clips.{suffix}"
    path.write_bytes(tar_bytes(members, compression))
    *good, bad = read_audio(path=str(path), label_pattern=PATTERN)
    assert [(record.file, record.values["label"]) for record in good] == [
        (f"{path}/r/7_ann_0.wav", "7"),
        (f"{path}/r/8_bob_1.wav", "8"),
    ]
    assert str(bad) == f"{path}/r/9_cy_2.wav: the file is empty"


def test_links_and_names_that_come_twice_are_refused(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for _ in range(2):
            info = tarfile.TarInfo("a.wav")
            info.size = len(wav_bytes())
            archive.addfile(info, io.BytesIO(wav_bytes()))
        link = tarfile.TarInfo("b.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "a.wav"
        archive.addfile(link)
    path = write(tmp_path / "clips.tar", stream.getvalue())
    first, *others = read_audio(path=path)
    assert not isinstance(first, BadRecord)
    assert [record.file for record in others] == [f"{path}/a.wav", f"{path}/b.wav"]
    assert all("no file of its own" in record.reason for record in others)


WHOLE = tar_bytes({"a.wav": wav_bytes(), "b.wav": wav_bytes()})
MEMBER = 512 + 2048  # a header, and 1,644 bytes in blocks of 512


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive" * 100,
        WHOLE[:300],
        WHOLE[: MEMBER + 1000],
        WHOLE[: MEMBER + 100],
        WHOLE[:MEMBER],
        WHOLE[: MEMBER * 2],
        WHOLE[:MEMBER] + b"\x01" * 512 + WHOLE[MEMBER + 512 :],
    ],
    ids=["empty", "junk", "first header", "content", "header", "between members", "no end mark", "damaged header"],
)
def test_a_damaged_archive_cannot_be_used(tmp_path, content):
    with pytest.raises(DataError, match="clips.tar: not a whole tar archive .*tar -tf FILE"):
        read_audio(path=write(tmp_path / "clips.tar", content))


def test_a_damaged_packed_archive_cannot_be_used(tmp_path):
    packed = gzip.compress(WHOLE)
    for content in (packed[:-200], packed[:-6] + bytes(6), packed[:5]):
        (tmp_path / "clips.tar.gz").write_bytes(content)
        with pytest.raises(DataError, match="clips.tar.gz: not a whole"):
            read_audio(path=str(tmp_path / "clips.tar.gz"))


def test_an_archive_without_recordings_cannot_be_used(tmp_path):
    path = write(tmp_path / "clips.tar", tar_bytes({"README": b"x"}))
    with pytest.raises(DataError, match="clips.tar: the archive holds no WAV file"):
        read_audio(path=path)


def test_a_name_that_the_pattern_does_not_match(tmp_path):
    path = write_wav(tmp_path / "seven.wav")
    assert reason(path, label_pattern=PATTERN).startswith("its name does not match data.label_pattern")


def test_an_empty_group_is_no_label(tmp_path):
    path = write_wav(tmp_path / "_ann.wav")
    pattern = r"(?P<label>\d)?_(?P<speaker>\w+)"
    [record] = read_audio(path=path, label_pattern=pattern)
    assert (record.values["label"], record.values["speaker"]) == ("", "ann")
    assert reason(path, features=CLASSIFICATION, label_pattern=pattern) == '"label" is empty'


def test_labels_get_names(tmp_path):
    path = write_wav(tmp_path / "7_ann_0.wav")
    [record] = read_audio(path=path, label_pattern=PATTERN, label_names={"7": "seven"})
    assert (record.values["label"], record.values["speaker"]) == ("seven", "ann")
    assert reason(path, label_pattern=PATTERN, label_names={"1": "one"}) == (
        'label "7" is not in data.label_names ("1")'
    )


def test_labels_from_a_table(tmp_path):
    members = {"r/1.wav": wav_bytes(), "s/1.wav": wav_bytes(), "s/2.wav": wav_bytes(), "s/3.wav": wav_bytes()}
    path = write(tmp_path / "clips.tar", tar_bytes(members))
    table = "speaker\tfile\tyear\tlabel\nann\tr/1.wav\t1\tone\nbob\t./s/1.wav\t2\tuno\n\t2.wav\t3\ttwo\n"
    *good, bad = read_audio(path=path, labels_file=write(tmp_path / "labels.tsv", table))
    labels = [(record.values["label"], record.values["speaker"]) for record in good]
    assert labels == [("one", "ann"), ("uno", "bob"), ("two", "")]
    assert str(bad).startswith(f"{path}/s/3.wav: no row for it in data.labels_file (")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "labels.tsv: the file is empty"),
        ("file\nx.wav\n", r"labels.tsv:1: the header must name .* Received: \"file\""),
        ("fil\tlabel\nx.wav\ta\n", 'labels.tsv:1: .*Did you mean "fil"'),
        ("file\tlabel\nx.wav\n", "labels.tsv:2: 1 fields where the header has 2"),
        ("file\tlabel\nx.wav\ta\nx.wav\tb\n", 'labels.tsv:3: "x.wav" has another row that differs'),
        (b"file\tlabel\nx.wav\t\xff\n", "labels.tsv:2: not utf-8.*data.encoding"),
        ("file\tspeaker\nx.wav\tann\n", r'The task needs a "label" for every recording.*(?P<label>)?'),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path, table, message):
    path, labels_file = write_wav(tmp_path / "x.wav"), write(tmp_path / "labels.tsv", table)
    with pytest.raises(DataError, match=message):
        read_audio(features=CLASSIFICATION, path=path, labels_file=labels_file)


def test_a_task_that_needs_labels_must_get_them(tmp_path):
    path = write_wav(tmp_path / "x.wav")
    with pytest.raises(DataError, match=r'The task needs a "label".*Received: data.label_pattern .*\(\?P<label>'):
        read_audio(features=CLASSIFICATION, path=path, label_pattern="(?P<speaker>x)")


def test_a_name_that_two_splits_claim(tmp_path):
    path = write_wav(tmp_path / "x.wav")
    assert reason(path, eval_pattern="x", test_pattern="x") == (
        "its name has both data.eval_pattern and data.test_pattern"
    )
