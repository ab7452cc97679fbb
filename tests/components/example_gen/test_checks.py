"""What a person would want to hear of the data, from a run and from a look at them before it."""

import json

import apache_beam as beam
import numpy as np
import pytest

from components.errors import DataError
from components.example_gen import overlap as overlaps
from components.example_gen.examination import examine, judged
from components.example_gen.executor import generate_examples
from components.example_gen.input_files import input_files
from components.example_gen.overlap import Overlap, Seen
from components.example_gen.settings import DataSettings
from components.example_gen.splits import split_of
from components.example_gen.waveforms import remarks_on
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, write

RUNNER = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def table(*rows):
    return "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)


GOOD = (("a b", "neg"), ("c d", "pos"), ("e f", "neg"))
OTHER = (("g h", "pos"), ("i j", "neg"))

# Train, eval, settings, and what is told.
CASES = {
    "nothing": (table(*GOOD), table(*OTHER), {}, []),
    "eval repeats train": (
        table(*GOOD),
        table(GOOD[0], *OTHER),
        {},
        ["1 of 3 records of split eval (33.33%) have a text"],
    ),
    "two labels": (
        table(*GOOD, ("a b", "pos")),
        table(*OTHER),
        {},
        ["The same text comes with different labels, 1 of them, such as", 't.tsv:2 "neg" and', 't.tsv:5 "pos"'],
    ),
    "one column for both": (
        table(*GOOD),
        table(*OTHER),
        {"columns": {"text": "label"}},
        ["2 of 2 records of split eval", "label and text are the same in 5 of 5 records (100%)"],
    ),
    "a class that eval lacks": (
        table(*GOOD, ("k l", "new")),
        table(*OTHER),
        {},
        ['Split eval has no example of label "new"'],
    ),
    "refused records": (
        table(*GOOD, ("", "neg")),
        table(*OTHER),
        {"max_bad_fraction": 0.5},
        ["1 of 4 records of split train were left out (25.00%); the first:", 't.tsv:5: "text" is empty'],
    ),
}


def settings(tmp_path, train, held_out, **others):
    return DataSettings(train=write(tmp_path / "t.tsv", train), eval=write(tmp_path / "e.tsv", held_out), **others)


@pytest.mark.parametrize("case", CASES)
def test_a_run_and_a_look_before_it_tell_the_same(tmp_path, case):
    train, held_out, others, expected = CASES[case]
    data = settings(tmp_path, train, held_out, **others)
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data)
    told = judged(found, CLASSIFICATION, data)
    assert found.whole
    assert len(told) <= len(expected)
    for sentence in expected:
        assert sentence in "\n".join(told)
    out = tmp_path / "out"
    out.mkdir()
    counts = generate_examples(beam.Pipeline(argv=[RUNNER]), data, CLASSIFICATION, str(out))
    assert counts["warnings"] == told
    assert json.loads((out / "counts.json").read_text())["warnings"] == told


STOPS = {
    "bad records": (table(*GOOD) + "x\n", table(*OTHER), "1 of 4 records of split train cannot be used (25.00%)"),
    "one class": (table(*GOOD[::2]), table(OTHER[1]), "at least two different values in the train split"),
    "a label that train lacks": (
        table(*GOOD),
        table(("x y", "other")),
        'label "other" of the eval split does not occur',
    ),
}


@pytest.mark.parametrize("case", STOPS)
def test_what_would_stop_the_run_stops_here_with_the_same_sentence(tmp_path, case):
    train, held_out, message = STOPS[case]
    data = settings(tmp_path, train, held_out)
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data)
    with pytest.raises(DataError) as here:
        judged(found, CLASSIFICATION, data)
    assert message in str(here.value)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DataError) as there:
        generate_examples(beam.Pipeline(argv=[RUNNER]), data, CLASSIFICATION, str(out))
    assert str(there.value) == str(here.value)


def test_a_bad_record_far_inside_is_found_and_every_split_is_seen(tmp_path):
    rows = [(f"text {number}", "neg" if number % 2 else "pos") for number in range(5000)]
    data = settings(tmp_path, table(*rows) + "x\n", table(*OTHER))
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data)
    with pytest.raises(DataError, match="t.tsv:5002: 1 fields where the header has 2"):
        judged(found, CLASSIFICATION, data)


def test_when_time_is_over_nothing_is_said_that_more_records_could_change(tmp_path):
    rows = [(f"text {number}", "neg") for number in range(5000)]
    data = settings(tmp_path, table(*rows, ("x", "pos")), table(("a", "pos")))
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data, seconds=0)
    assert not found.whole
    assert {report.split for report in found.reports} == {"train", "eval"}
    told = judged(found, CLASSIFICATION, data)
    assert told
    assert all(sentence.startswith("So far:") for sentence in told)


def one_file(tmp_path, rows, **others):
    return DataSettings(path=write(tmp_path / "all.tsv", table(*rows)), split={"train": 9, "eval": 1}, **others)


@pytest.mark.parametrize("seconds", [10, 0])
def test_data_in_order_are_divided_as_a_run_divides_them(tmp_path, seconds):
    rows = [(f"text {number}", "rare" if number == 20 else "ab"[number % 2]) for number in range(200)]
    # A hash would put its text into eval.
    rows[20] = (next(f"x{n}" for n in range(999) if split_of(f"x{n}", {"train": 9, "eval": 1}) == "eval"), "rare")
    data = one_file(tmp_path, rows, split_by="order")
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data, seconds=seconds)
    told = judged(found, CLASSIFICATION, data)
    assert not any("does not occur in train" in sentence for sentence in told)
    if seconds:
        assert found.reports[0].kept == {"train": 180, "eval": 20}


def test_a_label_that_is_too_rare_for_a_hash_is_told_once(tmp_path):
    held_out = [f"x{n}" for n in range(999) if split_of(f"x{n}", {"train": 9, "eval": 1}) == "eval"][:3]
    rows = [(f"text {number}", "ab"[number % 2]) for number in range(200)]
    data = one_file(tmp_path, [*rows, (held_out[0], "rare"), (held_out[1], "odd"), (held_out[2], "a")])
    files = input_files(data, CLASSIFICATION)
    told = judged(examine(files, CLASSIFICATION, data), CLASSIFICATION, data)
    assert [sentence for sentence in told if "rare" in sentence or "odd" in sentence] == [
        'label "odd", "rare" are so rare that all examples are in train; no figure tells how well it is known'
    ]
    part = examine(files, CLASSIFICATION, data, seconds=0)
    part.whole = False
    assert not any("does not occur" in sentence for sentence in judged(part, CLASSIFICATION, data))


def test_some_texts_are_kept_and_no_more_than_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("components.example_gen.examination._CHARACTERS", 4)
    data = settings(tmp_path, table(*GOOD), table(*OTHER))
    found = examine(input_files(data, CLASSIFICATION), CLASSIFICATION, data)
    assert found.texts == {"train": {"text": ["a b", "c d"]}, "eval": {"text": ["g h", "i j"]}}
    assert not found.all_texts


def test_a_source_with_two_targets_is_no_dispute(tmp_path):
    sides = {"source": "a\na\n", "target": "b\nc\n"}
    paths = {name: write(tmp_path / f"t.{name}", text) for name, text in sides.items()}
    others = {name: write(tmp_path / f"e.{name}", "x\n") for name in sides}
    data = DataSettings(train=paths, eval=others)
    told = judged(examine(input_files(data, TRANSLATION), TRANSLATION, data), TRANSLATION, data)
    assert told == []


def test_what_is_seen_adds_up_in_any_order():
    items = [
        Seen({"train": 1}, {"b": "t:2"}),
        Seen({"eval": 1}, {"a": "e:1"}),
        Seen({"train": 1}, {"b": "t:1", "c": "t:9"}),
    ]
    whole = overlaps.merge(items)
    assert whole == overlaps.merge([overlaps.merge(items[::-1][:2]), items[0]])
    assert whole == Seen({"train": 2, "eval": 1}, {"a": "e:1", "b": "t:1"})
    assert overlaps.overlap_of(whole) == Overlap({"eval": 1}, 1, 'e:1 "a" and t:1 "b"')
    assert overlaps.add([]) == Overlap()


def test_nothing_to_hear_is_noted():
    loud = np.sin(np.arange(100, dtype=np.float32))[:, None]
    opposite = np.concatenate([loud, -loud], axis=1)
    assert remarks_on(loud, loud[:, 0]) == ()
    assert remarks_on(0 * loud, 0 * loud[:, 0]) == ("silent throughout",)
    assert "cancel out" in remarks_on(opposite, opposite.mean(axis=1))[0]
