"""Records that can be read and look wrong: kept and told, set aside, or the end of the run."""

import json

import pydantic
import pytest

from components.errors import DataError
from components.example_gen.examination import examine, judged
from components.example_gen.gate import gated
from components.example_gen.gate_settings import GateSettings
from components.example_gen.input_files import input_files
from components.example_gen.records import BadRecord, Record
from components.example_gen.scripts import script_of
from components.example_gen.settings import DataSettings
from models.registry import TASKS
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, write

AUDIO = TASKS["audio_classification"].features


def after(record: Record, features=CLASSIFICATION, **settings) -> Record | BadRecord:
    return gated(record, features, GateSettings.model_validate(settings))


def text(value: str) -> Record:
    return Record({"text": value, "label": "pos"}, "a.tsv", 3)


def pair(source: str, target: str) -> Record:
    return Record({"source": source, "target": target}, "a.tsv", 3)


def test_a_record_that_breaks_a_rule_is_told_set_aside_or_passed_over():
    bad = text("a\x00b")
    reason = "text has the control character U+0000"
    assert after(bad).remarks == (reason,)
    assert after(bad, control_characters="off") == bad
    for action in ("quarantine", "fail"):
        assert after(bad, control_characters=action) == BadRecord(
            "a.tsv", 3, f"{reason} (data.gate.control_characters)", rule="control_characters", action=action
        )


@pytest.mark.parametrize("good", ["a\tb\nc\r", "é\u200d\u202e漢", "", "\x85"])
def test_what_texts_may_hold_is_no_control_character(good: str):
    assert after(text(good), control_characters="fail") == text(good)


def test_letters_of_other_scripts_are_seen_from_a_tenth_on():
    allowed = {"allowed_scripts": ["latin"], "scripts": "quarantine"}
    assert isinstance(after(text("история one two"), **allowed), BadRecord)
    assert isinstance(after(text("α" + "a" * 9), **allowed), Record), "exactly a tenth"
    assert isinstance(after(text("αα" + "a" * 9), **allowed), BadRecord)
    assert isinstance(after(text("123 !?"), **allowed), Record)
    assert isinstance(after(text("история"), scripts="fail"), Record), "no script was named"
    assert [script_of(letter) for letter in "aж한漢\ue000"] == ["LATIN", "CYRILLIC", "HANGUL", "CJK", "OTHER"]
    assert [script_of(letter) for letter in "Ａｶ々𝐱"] == ["LATIN", "KATAKANA", "CJK", "LATIN"]


def test_a_script_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(pydantic.ValidationError, match="such as latin.*Received: LATN. Did you mean"):
        GateSettings(allowed_scripts=["latn"])


def test_a_gate_that_keeps_everything_out_says_so(tmp_path):
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + "".join(f"слово {n}\t{n % 2}\n" for n in range(40)))
    gate = {"scripts": "quarantine", "allowed_scripts": ["latin"]}
    settings = DataSettings.model_validate({"path": path, "gate": gate})
    found = examine(input_files(settings, CLASSIFICATION), CLASSIFICATION, settings, {}, 10)
    assert found.refused == [], "they can be read"
    with pytest.raises(DataError, match="Records were set aside: 40 by data.gate.scripts. Correct the rule"):
        judged(found, CLASSIFICATION, settings)


def test_what_further_records_may_mend_does_not_fail(tmp_path):
    rows = "text\tlabel\n" + "".join(f"good {n}\t{n % 2}\n" for n in range(40))
    files = {split: write(tmp_path / f"{split}.tsv", rows) for split in ("train", "eval")}
    settings = DataSettings.model_validate({**files, "gate": {"repeated": "fail"}})
    found = examine(input_files(settings, CLASSIFICATION), CLASSIFICATION, settings, {}, 10)
    found.whole = False
    assert any("stands in train too" in line for line in judged(found, CLASSIFICATION, settings))


@pytest.mark.parametrize(
    ("source", "target", "is_bad"),
    [("a" * 27, "b" * 3, False), ("a" * 28, "b" * 3, True), ("b" * 3, "a" * 28, True), ("a" * 20, "b", False)],
)
def test_pairs_of_very_different_lengths_are_seen(source: str, target: str, is_bad: bool):
    found = after(pair(source, target), TRANSLATION, length_ratio="quarantine")
    assert isinstance(found, BadRecord) == is_bad
    assert isinstance(after(pair(source, target), TRANSLATION, length_ratio="quarantine", max_length_ratio=10), Record)


def test_what_readers_remark_of_recordings_can_be_set_aside():
    silent = Record({"audio": "", "label": "one"}, "a.wav", 0, remarks=("silent",))
    assert after(silent, AUDIO) == silent
    assert after(silent, AUDIO, sound="off").remarks == ()
    assert after(silent, AUDIO, sound="quarantine").rule == "sound"


def test_records_in_quarantine_are_counted_and_stop_nothing(tmp_path):
    path = write(
        tmp_path / "a.tsv", "text\tlabel\n" + "".join(f"good {n}\t{n % 2}\n" for n in range(40)) + "\x1bx\t1\n"
    )
    settings = DataSettings.model_validate({"path": path, "gate": {"control_characters": "quarantine"}})
    found = examine(input_files(settings, CLASSIFICATION), CLASSIFICATION, settings, {}, 10)
    told = judged(found, CLASSIFICATION, settings)
    assert "1 record is in quarantine (data.gate.control_characters)" in told
    [report] = found.reports
    assert (report.read, report.refused, report.kept.total()) == (41, 0, 40)
    assert type(report).from_json(report.to_json()) == report


def test_a_rule_that_fails_names_its_records_and_the_ways_out(tmp_path):
    path = write(tmp_path / "a.tsv", "text\tlabel\n" + "".join(f"good\x07 {n}\t{n % 2}\n" for n in range(40)))
    settings = DataSettings.model_validate({"path": path, "gate": {"control_characters": "fail"}})
    found = examine(input_files(settings, CLASSIFICATION), CLASSIFICATION, settings, {}, 10)
    with pytest.raises(DataError) as refusal:
        judged(found, CLASSIFICATION, settings)
    lines = str(refusal.value).splitlines()
    assert len(lines) == 12
    assert lines[1].endswith("a.tsv:2: text has the control character U+0007 (data.gate.control_characters)")
    assert "seqline run --approve RULE" in lines[-1]


@pytest.mark.parametrize("action", ["warn", "fail", "off"])
def test_the_same_texts_in_train_and_eval_are_told_or_stop_the_run(tmp_path, action: str):
    rows = "text\tlabel\n" + "".join(f"good {n}\t{n % 2}\n" for n in range(40))
    files = {split: write(tmp_path / f"{split}.tsv", rows) for split in ("train", "eval")}
    settings = DataSettings.model_validate({**files, "gate": {"repeated": action}})
    found = examine(input_files(settings, CLASSIFICATION), CLASSIFICATION, settings, {}, 10)
    if action == "fail":
        with pytest.raises(DataError, match="stands in train too.*data.gate.repeated"):
            judged(found, CLASSIFICATION, settings)
    else:
        assert any("stands in train too" in line for line in judged(found, CLASSIFICATION, settings)) == (
            action == "warn"
        )


def test_what_is_set_aside_is_written_with_its_rule(tmp_path):
    import apache_beam as beam

    from components.example_gen.executor import generate_examples, read_refused

    rows = "".join(f"good {n}\t{n % 2}\n" for n in range(60))
    path = write(tmp_path / "a.tsv", f"text\tlabel\n{rows}\x1bx\t1\n")
    settings = DataSettings.model_validate({"path": path, "gate": {"control_characters": "quarantine"}})
    pipeline = beam.Pipeline(runner="apache_beam.runners.portability.fn_api_runner.FnApiRunner")
    counts = generate_examples(pipeline, settings, CLASSIFICATION, str(tmp_path / "out"))
    assert (counts["read"], counts["refused"], counts["set_aside"]) == (61, 0, {"control_characters": 1})
    [record] = read_refused(str(tmp_path / "out"))
    assert (record.line, record.rule, record.action) == (62, "control_characters", "quarantine")
    assert json.loads((tmp_path / "out" / "refused.jsonl").read_text())["rule"] == "control_characters"
