import json
import logging
from collections import Counter
from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf

from components.errors import DataError
from components.example_gen.executor import encode, generate_examples, write_split
from components.example_gen.records import Record
from components.example_gen.settings import DataSettings
from models.registry import TASKS
from tests.components.example_gen.files import CLASSIFICATION, PLAIN, TRANSLATION, write

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def generate(out, features=CLASSIFICATION, **settings):
    out.mkdir(exist_ok=True)
    return generate_examples(beam.Pipeline(argv=[RUNNER]), DataSettings(**settings), features, str(out))


def examples(out, split):
    """Every example of a split as a tuple of its values."""
    files = sorted(str(path) for path in (out / f"Split-{split}").iterdir())
    found = []
    for serialized in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        features = tf.train.Example.FromString(serialized.numpy()).features.feature
        found.append(tuple(features[name].bytes_list.value[0].decode() for name in sorted(features)))
    return found


def table(rows):
    return "text\tlabel\n" + "".join("\t".join(row) + "\n" for row in rows)


ROWS = [(f"text number {number}", "neg" if number < 100 else "pos") for number in range(200)]


def test_an_example_holds_one_value_per_feature():
    features = tf.train.Example.FromString(encode(Record({"text": "좋다", "label": "1"}, "f", 1))).features.feature
    assert {name: list(features[name].bytes_list.value) for name in features} == {
        "text": ["좋다".encode()],
        "label": [b"1"],
    }


def test_explicit_splits_and_the_account(tmp_path, caplog):
    train = write(tmp_path / "train.tsv", table([*ROWS, ("", "neg"), ("only text",)]))
    eval_ = write(tmp_path / "eval.tsv", table([("text number 1", "pos"), ("new", "neg")]))
    out = tmp_path / "out"
    with caplog.at_level(logging.WARNING, "seqline.data"):
        counts = generate(out, train=train, eval=eval_, max_bad_fraction=0.01)
    assert sorted(examples(out, "train")) == sorted((label, text) for text, label in ROWS)
    assert sorted(examples(out, "eval")) == [("neg", "new"), ("pos", "text number 1")]
    assert counts == json.loads((out / "counts.json").read_text())
    assert counts == {
        "read": 204,
        "kept": 202,
        "refused": 2,
        "set_aside": {},
        "passed_over": {},
        "splits": {"train": 200, "eval": 2},
        "files": {
            train: {"split": "train", "read": 202, "kept": {"train": 200}, "refused": 2, "set_aside": 0},
            eval_: {"split": "eval", "read": 2, "kept": {"eval": 2}, "refused": 0, "set_aside": 0},
        },
        "labels": {"train": ["neg", "pos"], "eval": ["neg", "pos"]},
        "repeated": {"eval": 1},
        "warnings": [
            f'2 of 202 records of split train were left out (0.99%); the first: {train}:202: "text" is empty',
            "1 of 2 records of split eval (50.00%) have a text that stands in train too: figures on them say how well "
            "the model remembers, not how well it has learned",
            f'The same text comes with different labels, 1 of them, such as {train}:3 "neg" and {eval_}:2 "pos"; no '
            "model can give both",
        ],
    }
    refused = [json.loads(line) for line in (out / "refused.jsonl").read_text().splitlines()]
    assert refused[0] == {"file": train, "line": 202, "reason": '"text" is empty'}
    assert [record.getMessage() for record in caplog.records if record.name == "seqline.data"] == [
        f'left out: {train}:202: "text" is empty',
        f'left out: {train}:203: 1 fields where the header has 2 ("text", "label")',
    ]
    assert sorted(path.name for path in out.iterdir()) == ["Split-eval", "Split-train", "counts.json", "refused.jsonl"]


def test_hash_split_is_stable_mixed_and_keeps_equal_texts_together(tmp_path):
    rows = [*ROWS, *((text, "pos") for text, _ in ROWS[:100])]
    path = write(tmp_path / "all.tsv", table(rows))
    counts = generate(tmp_path / "one", path=path, split={"train": 3, "eval": 1})
    generate(tmp_path / "two", path=path, split={"train": 3, "eval": 1})
    train, eval_ = examples(tmp_path / "one", "train"), examples(tmp_path / "one", "eval")
    assert (train, eval_) == (examples(tmp_path / "two", "train"), examples(tmp_path / "two", "eval"))
    assert sorted(train + eval_) == sorted((label, text) for text, label in rows)
    assert not {text for _, text in train} & {text for _, text in eval_}
    assert 0.1 < len(eval_) / len(rows) < 0.4
    assert counts["files"][path]["kept"] == {"train": len(train), "eval": len(eval_)}
    labels = [label for label, _ in train]
    assert 0.2 < Counter(labels[: len(labels) // 4])["neg"] / (len(labels) // 4) < 0.8  # the file is sorted by label


def lines_of(name, numbers):
    """Texts whose hashes have another order than they themselves."""
    return [f"{name} {number}" for number in numbers]


def test_ordered_data_keep_the_order_of_files_and_lines(tmp_path):
    second, first = lines_of("second", range(3000)), lines_of("first", range(100))
    paths = [write(tmp_path / "z.txt", "\n".join(first)), write(tmp_path / "a.txt", "\n\n".join(second))]
    more = {"format": "lines", "ordered": True}
    generate(tmp_path / "named", PLAIN, train=paths, eval=write(tmp_path / "e.txt", "x\n"), **more)
    assert [text for (text,) in examples(tmp_path / "named", "train")] == [*first, *second]
    generate(tmp_path / "hashed", PLAIN, path=paths, split={"train": 3, "eval": 1}, **more)
    found = {split: [text for (text,) in examples(tmp_path / "hashed", split)] for split in ("train", "eval")}
    for split, texts in found.items():
        assert texts == [text for text in [*first, *second] if text in set(found[split])], split
    assert sorted(found["train"] + found["eval"]) == sorted([*first, *second])
    assert 0.2 < len(found["eval"]) / 3100 < 0.3


def test_the_end_of_each_file_is_held_out_where_the_order_splits(tmp_path):
    paths = [write(tmp_path / f"{name}.txt", "\n".join(lines_of(name, range(20)))) for name in ("b", "a")]
    more = {"format": "lines", "ordered": True, "split_by": "order", "split": {"eval": 1, "train": 8, "test": 1}}
    generate(tmp_path / "out", PLAIN, path=paths, **more)
    for split, numbers in (("train", range(16)), ("eval", range(16, 18)), ("test", range(18, 20))):
        expected = [(text,) for name in ("b", "a") for text in lines_of(name, numbers)]
        assert examples(tmp_path / "out", split) == expected, split


def test_what_a_reader_notes_stands_in_each_example_of_a_task_that_asks_for_it(tmp_path):
    path, other = (write(tmp_path / name, "one\ntwo\n") for name in ("a.txt", "b.txt"))
    for number, (data_format, expected) in enumerate(
        (("lines", [("one", "", ""), ("two", "", "")]), ("text", [("one\n", "", "yes"), ("two\n", "one\n", "")]))
    ):
        more = {"format": data_format, "ordered": True} | ({"passage_length": 5} if data_format == "text" else {})
        folder = tmp_path / str(number)
        generate(folder, TASKS["language_modeling"].features, train=path, eval=other, **more)
        assert [tuple(notes) for notes in noted(folder)] == expected


def noted(folder):
    for record in tf.data.TFRecordDataset(
        [str(file) for file in (folder / "Split-train").iterdir()], "GZIP"
    ).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        yield [features[name].bytes_list.value[0].decode() for name in ("text", "context", "continues")]


def test_the_position_decides_not_what_comes_first(tmp_path):
    """A runner may read the files in any order."""
    placed = [((1, 0), "c"), ((0, 10), "b"), ((1, 2), "d"), ((0, 9), "a")]
    records = [(0, (place, encode(Record({"text": text}, "", 1)))) for place, text in placed]
    with beam.Pipeline(argv=[RUNNER]) as pipeline:
        write_split(pipeline | beam.Create(records), "train", str(tmp_path))
    assert examples(tmp_path, "train") == [("a",), ("b",), ("c",), ("d",)]


def test_data_are_mixed_where_order_is_not_asked_for(tmp_path):
    texts = lines_of("line", range(500))
    write(tmp_path / "a.txt", "\n".join(texts))
    generate(tmp_path / "out", PLAIN, path=f"{tmp_path}/a.txt", format="lines")
    found = [text for (text,) in examples(tmp_path / "out", "train")]
    assert found != sorted(found, key=texts.index)


def test_sample_dates_hold_out_whole_dates(tmp_path):
    counts = generate(tmp_path / "out", TRANSLATION, source="sample:dates", sample_size=400)
    train, eval_ = examples(tmp_path / "out", "train"), examples(tmp_path / "out", "eval")
    assert counts["kept"] == len(train) + len(eval_) == 400
    assert not {date for _, date in train} & {date for _, date in eval_}


GOOD = table(ROWS[95:105])


@pytest.mark.parametrize(
    ("train", "eval_", "message"),
    [
        (
            GOOD + "a\tb\tc\n" * 12,
            GOOD,
            r"12 of 22 records of split train cannot be .* \(54.55%\).*The first of them",
        ),
        (GOOD, GOOD + "\tpos\n", r'1 of 11 records of split eval .* allows 0.00%.*(?s:.)*eval.tsv:12: "text" is empty'),
        (GOOD, table([("a", "positive")]), 'eval.tsv:2: label "positive" of the eval split does not occur in train'),
        (table(ROWS[:5]), table(ROWS[:2]), '"label" must have at least two different values.*Received: "neg" only'),
        (GOOD, "text\tlabel\n", "eval.tsv: the file has no records"),
        ("txt\tlabel\na\tb\n", "txt\tlabel\na\tb\n", '(?s)train.tsv: no column "text".*eval.tsv: no column "text"'),
    ],
)
def test_data_that_cannot_be_used_stop_the_run(tmp_path, train, eval_, message):
    paths = {"train": write(tmp_path / "train.tsv", train), "eval": write(tmp_path / "eval.tsv", eval_)}
    with pytest.raises(DataError, match=message) as caught:
        generate(tmp_path / "out", **paths)
    assert type(caught.value) is DataError


def test_the_first_ten_bad_records_are_named_in_order(tmp_path):
    train = write(tmp_path / "train.tsv", GOOD + "x\n" * 30)
    with pytest.raises(DataError) as caught:
        generate(tmp_path / "out", train=train, eval=write(tmp_path / "eval.tsv", GOOD))
    named = [line.strip().removeprefix(train) for line in str(caught.value).splitlines() if train in line]
    assert [line.split(":")[1] for line in named] == [str(number) for number in range(12, 22)]


def test_a_label_that_a_hash_keeps_from_train_goes_there(tmp_path):
    paths = [write(tmp_path / "common.tsv", table(ROWS))]
    plain = generate(tmp_path / "plain", path=paths)
    held_out = [text for _, text in examples(tmp_path / "plain", "eval")]
    rare = table([(held_out[0], "rare"), (held_out[1], "rare"), (held_out[2], "neg")])
    paths.append(write(tmp_path / "rare.tsv", rare))
    counts = generate(tmp_path / "out", path=paths)
    train, eval_ = examples(tmp_path / "out", "train"), examples(tmp_path / "out", "eval")
    moved = {text for label, text in train if text in held_out}
    assert moved == set(held_out[:2])  # with what has the same text, so that no text stands in both
    assert not {text for _, text in train} & {text for _, text in eval_}
    assert counts["splits"] == {"train": plain["splits"]["train"] + 4, "eval": plain["splits"]["eval"] - 1}
    assert counts["splits"] == {"train": len(train), "eval": len(eval_)}
    assert counts["files"][paths[1]]["kept"] == {"train": 2, "eval": 1}
    rare_label = 'label "rare" is so rare that all examples are in train; no figure tells how well it is known'
    assert counts["warnings"].count(rare_label) == 1


def test_an_empty_split_of_a_hash(tmp_path):
    path = write(tmp_path / "all.tsv", table(ROWS[99:101] * 5))
    with pytest.raises(DataError, match=r"The (eval|train) split has no records. Give more data \(10 records came\)"):
        generate(tmp_path / "out", path=path, split={"train": 1_000_000, "eval": 1})


@pytest.mark.real_data
class TestRealData:
    """The counts that the data's own description states."""

    def test_nsmc(self, data_directory: Path, tmp_path):
        nsmc = data_directory / "nsmc"
        paths = {"train": str(nsmc / "nsmc_train.tsv.gz"), "eval": str(nsmc / "nsmc_dev.tsv.gz")}
        counts = generate(tmp_path / "out", **paths, columns={"text": "document"})
        assert counts["splits"] == {"train": 60_000, "eval": 5_000}
        assert counts["refused"] == 0
        train = examples(tmp_path / "out", "train")
        assert Counter(label for label, _ in train) == {"0": 30_000, "1": 30_000}
        assert '"' in "".join(text for _, text in train)

    def test_rt_polarity(self, data_directory: Path, tmp_path):
        counts = generate(
            tmp_path / "out",
            path=str(data_directory / "rt_polarity/rt-polarity.*"),
            format="lines",
            label_pattern=r"rt-polarity\.(?P<label>neg|pos)",
        )
        assert [file["read"] for file in counts["files"].values()] == [5_331, 5_331]
        assert counts["kept"] == 10_662

    def test_multi30k(self, data_directory: Path, tmp_path):
        folder = data_directory / "multi30k"
        splits = {
            split: {"source": str(folder / f"{name}.en.gz"), "target": str(folder / f"{name}.de.gz")}
            for split, name in (("train", "train"), ("eval", "val"), ("test", "test_2016_flickr"))
        }
        counts = generate(tmp_path / "out", TRANSLATION, **splits)
        assert counts["splits"] == {"train": 29_000, "eval": 1_014, "test": 1_000}
        assert (
            "Two young, White males are outside near many bushes.",
            "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
        ) in examples(tmp_path / "out", "train")
