"""Recordings through the real executor and Beam."""

import json
import logging
from collections import Counter
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf

from components.errors import DataError
from components.example_gen.executor import encode, generate_examples
from components.example_gen.records import Record
from components.example_gen.settings import DataSettings
from models.audio_settings import AudioSettings
from tests.components.example_gen.files import write
from tests.components.example_gen.recordings import CLASSIFICATION, GENERATION, RATE, tar_bytes, tone, wav_bytes

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
AUDIO = AudioSettings(sample_rate=RATE)
PATTERN = r"(?P<label>\d)_(?P<speaker>[a-z]+)_\d+\.wav$"


def generate(out, features=GENERATION, audio=AUDIO, **settings):
    out.mkdir(exist_ok=True)
    return generate_examples(
        beam.Pipeline(argv=[RUNNER]), DataSettings(**settings), features, str(out), {"audio": audio}
    )


def examples(out, split):
    """Every example of a split as (label, speaker, samples)."""
    found = []
    files = sorted(str(path) for path in (out / f"Split-{split}").iterdir())
    for serialized in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        features = tf.train.Example.FromString(serialized.numpy()).features.feature
        [label], [speaker] = features["label"].bytes_list.value, features["speaker"].bytes_list.value
        found.append((label.decode(), speaker.decode(), np.array(features["audio"].float_list.value, np.float32)))
    return found


def archive(path, takes=10, **more):
    """A tar of tones, as high as their digit says."""
    members = {
        f"r/{digit}_{speaker}_{take}.wav": wav_bytes(tone(0.1 + take / 1000, hertz=400 * (int(digit) + 1)))
        for digit in "01"
        for speaker in ("ann", "bob")
        for take in range(takes)
    }
    return write(path, tar_bytes({**members, **more}))


def test_an_example_holds_the_samples_and_one_value_per_label():
    samples = np.array([0.5, -1.0, 0.0], np.float32)
    features = tf.train.Example.FromString(
        encode(Record({"audio": samples, "label": "", "speaker": "ann"}, "f", 0))
    ).features.feature
    assert list(features["audio"].float_list.value) == [0.5, -1.0, 0.0]
    assert [list(features[name].bytes_list.value) for name in ("label", "speaker")] == [[b""], [b"ann"]]


def test_an_archive_divided_by_patterns(tmp_path, caplog):
    path = archive(tmp_path / "clips.tar", **{"r/1_ann_77.wav": b"", "r/seven.wav": wav_bytes()})
    out = tmp_path / "out"
    with caplog.at_level(logging.WARNING, "seqline.data"):
        counts = generate(
            out,
            path=path,
            label_pattern=PATTERN,
            eval_pattern=r"_[89]\.wav$",
            test_pattern=r"_7\.wav$",
            max_bad_fraction=0.1,
        )
    assert counts["splits"] == {"train": 28, "eval": 8, "test": 4}
    assert counts["files"] == {
        path: {"split": None, "read": 42, "kept": counts["splits"], "refused": 2, "set_aside": 0}
    }
    found = examples(out, "test")
    assert sorted((label, speaker) for label, speaker, _ in found) == [
        ("0", "ann"),
        ("0", "bob"),
        ("1", "ann"),
        ("1", "bob"),
    ]
    for label, _, samples in found:
        np.testing.assert_allclose(samples, tone(0.107, hertz=400 * (int(label) + 1)), atol=1e-4)
    refused = [json.loads(line) for line in (out / "refused.jsonl").read_text().splitlines()]
    assert refused[0] == {"file": f"{path}/r/1_ann_77.wav", "line": 0, "reason": "the file is empty"}
    logged = [record.getMessage() for record in caplog.records if record.name == "seqline.data"]
    assert logged[0] == f"left out: {path}/r/1_ann_77.wav: the file is empty"
    assert logged[1].startswith(f"left out: {path}/r/seven.wav: its name does not match")


def test_without_patterns_the_name_decides_by_its_hash(tmp_path):
    for name in ("one", "two"):
        path = archive(tmp_path / name / "clips.tar", takes=20)
        generate(tmp_path / name / "out", path=path, label_pattern=PATTERN, split={"train": 3, "eval": 1})
    one, two = (
        sorted((label, len(samples)) for label, _, samples in examples(tmp_path / name / "out", "eval"))
        for name in ("one", "two")
    )
    assert one == two and 8 <= len(one) <= 35


def test_recordings_without_labels(tmp_path):
    counts = generate(tmp_path / "out", path=archive(tmp_path / "clips.tar"), eval_pattern="_9")
    assert counts["splits"] == {"train": 36, "eval": 4}
    assert {(label, speaker) for label, speaker, _ in examples(tmp_path / "out", "train")} == {("", "")}


@pytest.mark.parametrize(
    ("eval_pattern", "features", "message"),
    [
        ("_x", GENERATION, "The eval split has no records. Correct the patterns: data.eval_pattern '_x'.*10 records"),
        (".", GENERATION, "The train split has no records"),
        ("/1_", GENERATION, r'clips.tar/r/1_bob_9.wav: label "1" of the eval split does not occur.*train: "0"'),
        ("_8", CLASSIFICATION, '"label" must have at least two different values'),
    ],
)
def test_data_that_cannot_be_used_stop_the_run(tmp_path, eval_pattern, features, message):
    members = {f"r/0_bob_{take}.wav": wav_bytes() for take in range(9)}
    if features is GENERATION:
        members["r/1_bob_9.wav"] = wav_bytes()
    path = write(tmp_path / "clips.tar", tar_bytes(members))
    with pytest.raises(DataError, match=message):
        generate(tmp_path / "out", features, path=path, label_pattern=PATTERN, eval_pattern=eval_pattern)


def test_the_bad_records_of_an_archive_are_named(tmp_path):
    bad = {f"r/0_ann_{number}.wav": b"" for number in range(20, 23)}
    path = archive(tmp_path / "clips.tar", **bad)
    with pytest.raises(DataError, match=r"3 of 43 records cannot be used .*They are:") as caught:
        generate(tmp_path / "out", path=path, label_pattern=PATTERN, eval_pattern="_9")
    assert f"  {path}/r/0_ann_21.wav: the file is empty\n" in str(caught.value)


def test_a_damaged_archive_stops_the_run(tmp_path):
    path = archive(tmp_path / "clips.tar")
    write(tmp_path / "clips.tar", Path(path).read_bytes()[:-11_000])
    with pytest.raises(DataError, match="^.*clips.tar: not a whole tar archive"):
        generate(tmp_path / "out", path=path, label_pattern=PATTERN, eval_pattern="_9")


@pytest.mark.real_data
def test_spoken_digits(data_directory: Path, tmp_path):
    """10 digits of 6 speakers, 45 takes each (5 to 49); takes 5 to 9 are held out."""
    path = data_directory / "fsdd/fsdd_train.tar"
    if not path.is_file():
        pytest.skip(f"no real data: {path} does not exist")
    counts = generate(
        tmp_path / "out", CLASSIFICATION, path=str(path), label_pattern=PATTERN, eval_pattern=r"_[5-9]\.wav$"
    )
    assert (counts["read"], counts["refused"]) == (2700, 0)
    assert counts["splits"] == {"train": 2400, "eval": 10 * 6 * 5}
    for split, takes in (("train", 40), ("eval", 5)):
        found = Counter((label, speaker) for label, speaker, _ in examples(tmp_path / "out", split))
        assert len(found) == 10 * 6 and set(found.values()) == {takes}
