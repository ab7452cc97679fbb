import pydantic
import pytest

from components.errors import DataError
from components.example_gen.fingerprint import data_fingerprint
from components.example_gen.input_files import input_files
from components.example_gen.reading import check_beginnings
from components.example_gen.settings import DataSettings
from tests.components.example_gen.files import CLASSIFICATION, TRANSLATION, write
from tests.components.example_gen.recordings import GENERATION, tar_bytes, wav_bytes, write_wav


def test_recordings_are_known_by_their_suffixes():
    for path in ("a.wav", "clips/*.WAV", ["a.tar", "b.tgz"], "a.tar.gz"):
        assert DataSettings(path=path).told_format() == "wav", path
    for path in ("a.tsv", ["a.wav", "b.tsv"], "clips", {"source": "a.wav", "target": "b.wav"}):
        assert DataSettings(path=path).told_format() != "wav", path
    assert DataSettings(path="clips", format="wav").told_format() == "wav"


def test_patterns_decide_the_splits():
    assert DataSettings(path="a.tar", eval_pattern="x").splits() == ("train", "eval")
    assert DataSettings(path="a.tar", eval_pattern="x", test_pattern="y").splits() == ("train", "eval", "test")
    settings = DataSettings(path="a.tar", eval_pattern="x", label_pattern="(?P<speaker>a)")
    assert DataSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"path": "clips", "label_pattern": r"(?P<label>\d)"},
            "data.format lines or documents or text or wav go together.*auto",
        ),
        ({"path": "a.tar", "label_pattern": "(?P<label>a)", "labels_file": "b.tsv"}, "not from both.*'b.tsv'"),
        (
            {"path": "a.tsv", "labels_file": "b.tsv"},
            "labels_file.*format lines or documents or text or wav go together.*'b.tsv'.*Set data.format",
        ),
        (
            {"path": "a.tsv", "eval_pattern": "x"},
            "eval_pattern.* data.format lines or documents or text or wav go together.*remove the key",
        ),
        ({"path": "a.tar", "test_pattern": "x"}, "data.eval_pattern.* must be set where .*'x' alone"),
        ({"path": "a.tar", "eval_pattern": "("}, "data.eval_pattern.* regular expression.*missing"),
        ({"train": "a.tar", "eval": "b.tar", "eval_pattern": "x"}, "divides the files of \"data.path\".*'x'"),
        ({"path": "a.tar", "columns": {"audio": "x"}}, "tables only"),
        ({"path": {"audio": "a.wav", "label": "b"}, "format": "wav"}, "Paths per feature.*wav"),
    ],
)
def test_a_mistake_names_the_rule_the_value_and_the_way_out(settings, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        DataSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"label_pattern": r"(\d)"}, "group named label or speaker or both, and no other named group"),
        ({"label_pattern": r"(?P<lable>\d)"}, r"no other named group.*lable"),
        ({"label_pattern": r"(?P<speaker>\d)", "label_names": {"0": "zero"}}, "names what a group label of"),
    ],
)
def test_groups_must_be_features_of_the_task(tmp_path, settings, message):
    with pytest.raises(DataError, match=message):
        input_files(DataSettings(path=write_wav(tmp_path / "a.wav"), **settings), GENERATION)


def test_recordings_and_tasks_must_fit(tmp_path):
    wav, table = write_wav(tmp_path / "a.wav"), write(tmp_path / "a.tsv", "audio\tlabel\n")
    with pytest.raises(DataError, match='Recordings fit tasks with audio only.*a.wav.*"text", "label"'):
        input_files(DataSettings(path=wav), CLASSIFICATION)
    with pytest.raises(DataError, match="learns from recordings.*a.tsv, format tsv"):
        input_files(DataSettings(path=table), GENERATION)
    with pytest.raises(DataError, match="learns from recordings.*format parallel"):
        input_files(DataSettings(path={"audio": wav, "label": table}), GENERATION)
    with pytest.raises(DataError, match="Recordings fit tasks with audio only"):
        input_files(DataSettings(path=str(tmp_path), format="wav"), TRANSLATION)


def test_the_fingerprint_follows_recordings_and_labels(tmp_path):
    write_wav(tmp_path / "clips/deep/a.wav")
    labels = write(tmp_path / "labels.tsv", "file\tlabel\na.wav\tx\n")
    settings = DataSettings(path=str(tmp_path / "clips"), format="wav", labels_file=labels)
    seen = {data_fingerprint(settings)}
    write(tmp_path / "labels.tsv", "file\tlabel\na.wav\ty\n")
    seen.add(data_fingerprint(settings))
    write_wav(tmp_path / "clips/deep/b.wav")
    seen.add(data_fingerprint(settings))
    assert len(seen) == 3


def test_the_beginnings_show_a_damaged_archive_and_a_missing_table(tmp_path):
    whole = tar_bytes({"a.wav": wav_bytes()})

    def check(**settings):
        data = DataSettings(**settings)
        check_beginnings(input_files(data, GENERATION), GENERATION, data)

    check(path=write(tmp_path / "a.tar", whole))
    with pytest.raises(DataError, match="b.tar: not a whole tar archive"):
        check(path=write(tmp_path / "b.tar", whole[:700]))
    with pytest.raises(DataError, match='"data.labels_file": no file at .*Did you mean "labels.tsv"'):
        write(tmp_path / "labels.tsv", "file\tlabel\n")
        check(path=f"{tmp_path}/a.tar", labels_file=f"{tmp_path}/label.tsv")
