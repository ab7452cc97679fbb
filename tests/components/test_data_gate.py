import numpy as np
import pandas
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies, AnomalyInfo

from components.data_gate import Evidence, Rule, inspect
from components.errors import DataError
from models.registry import TASKS

NEW_VALUE = AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES


def anomalies(severity=AnomalyInfo.ERROR, **features):
    """Anomalies with one reason per feature: name=type."""
    result = Anomalies()
    for name, kind in features.items():
        result.anomaly_info[name].severity = severity
        result.anomaly_info[name].reason.add(
            type=kind, short_description="Unexpected string values", description="Values missing: c (~10%)."
        )
    return result


def evidence(train=None, eval_=None, **changes):
    values = {
        "splits": ("train", "eval"),
        "features": TASKS["text_classification"].features,
        "anomalies": {"train": train or Anomalies(), "eval": eval_ or Anomalies()},
        "sizes": {"train": 1000, "eval": 200},
    }
    return Evidence(**{**values, **changes})


def findings(report):
    return {rule["name"]: rule["findings"] for rule in report["rules"] if rule["findings"]}


def test_clean_data_pass():
    report = inspect(evidence())
    assert report["examples"] == {"train": 1000, "eval": 200}
    assert findings(report) == {}


def test_an_anomaly_stops_the_run_and_is_named():
    with pytest.raises(DataError) as caught:
        inspect(evidence(eval_=anomalies(label=NEW_VALUE)))
    assert '  eval: feature "label": Unexpected string values. Values missing: c (~10%).' in str(caught.value)


def test_new_values_of_a_text_are_no_anomaly():
    assert findings(inspect(evidence(eval_=anomalies(text=NEW_VALUE)))) == {}


@pytest.mark.parametrize("texts", [["1,000", "x"], ["1.5", "2"], ["", "99999999999999999999999"]])
def test_texts_that_are_all_numbers_in_train_are_texts(texts):
    def statistics(rows):
        return tfdv.generate_statistics_from_dataframe(pandas.DataFrame({"text": rows, "label": ["a"] * len(rows)}))

    schema = tfdv.infer_schema(statistics([str(number) for number in range(1000, 1400)]))
    found = tfdv.validate_statistics(statistics(texts * 10), schema)
    assert "text" in found.anomaly_info
    assert findings(inspect(evidence(eval_=found))) == {}


def test_another_anomaly_of_a_text_stops_the_run_even_beside_new_values():
    found = anomalies(text=NEW_VALUE)
    found.anomaly_info["text"].reason.add(type=AnomalyInfo.FEATURE_TYPE_LOW_FRACTION_PRESENT, description="Missing.")
    with pytest.raises(DataError, match='eval: feature "text": Missing.') as caught:
        inspect(evidence(eval_=found))
    assert "Unexpected string values" not in str(caught.value)


def test_all_findings_are_listed():
    missing = anomalies(label=AnomalyInfo.SCHEMA_MISSING_COLUMN, text=AnomalyInfo.SCHEMA_MISSING_COLUMN)
    with pytest.raises(DataError) as caught:
        inspect(evidence(train=missing, eval_=missing))
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:5]] == ["train"] * 2 + ["eval"] * 2


def test_a_dataset_anomaly_stops_the_run():
    found = Anomalies(dataset_anomaly_info=AnomalyInfo(severity=AnomalyInfo.ERROR, description="Low num examples."))
    with pytest.raises(DataError, match="eval: Low num examples."):
        inspect(evidence(eval_=found))


def test_a_warning_passes_and_is_reported():
    report = inspect(evidence(eval_=anomalies(AnomalyInfo.WARNING, label=NEW_VALUE)))
    assert list(findings(report)) == ["schema_warnings"]


def test_a_small_split_is_reported():
    report = inspect(evidence(sizes={"train": 1000, "eval": 12}))
    [told] = findings(report)["split_size"]
    assert told.startswith("eval: only 12 examples; figures from fewer than 100 vary by chance: a share")
    assert "28%" in told  # 1.96 * sqrt(0.25 / 12)


def test_a_split_that_was_not_validated_stops_the_run():
    with pytest.raises(DataError, match="test: the split was not validated"):
        inspect(evidence(splits=("train", "eval", "test")))


def test_the_level_decides():
    def find(_):
        return ["found"]

    assert findings(inspect(evidence(), [Rule("mine", "warn", find)])) == {"mine": ["found"]}
    with pytest.raises(DataError, match="found"):
        inspect(evidence(), [Rule("mine", "fail", find)])


def validate(train, other, infer_feature_shape=True):
    """What TFX's own stages find: statistics, the schema of the train split, and the anomalies of another."""
    statistics = tfdv.generate_statistics_from_dataframe(pandas.DataFrame(train))
    schema = tfdv.infer_schema(statistics, infer_feature_shape=infer_feature_shape)
    return tfdv.validate_statistics(tfdv.generate_statistics_from_dataframe(pandas.DataFrame(other)), schema)


def test_real_anomalies_of_a_small_data_set():
    train = {"text": ["good", "bad"] * 60, "label": ["pos", "neg"] * 60}
    new_texts = validate(train, {"text": ["fine", "poor"] * 60, "label": ["pos", "neg"] * 60})
    assert list(new_texts.anomaly_info) == ["text"]
    assert findings(inspect(evidence(eval_=new_texts))) == {}
    new_label = validate(train, {"text": ["fine", "poor"] * 60, "label": ["pos", "mixed"] * 60})
    with pytest.raises(DataError, match='eval: feature "label": Unexpected string values. .*mixed'):
        inspect(evidence(eval_=new_label))
    with pytest.raises(DataError, match='eval: feature "label": Column dropped'):
        inspect(evidence(eval_=validate(train, {"text": ["good"] * 60})))


def clips(lengths, label=("one", "two"), speaker=("",)):
    """Columns of recordings of these lengths, their labels in turn."""
    return {
        "audio": [np.linspace(-1, 1, length, dtype=np.float32) for length in lengths],
        "label": [label[number % len(label)] for number in range(len(lengths))],
        "speaker": [speaker[number % len(speaker)] for number in range(len(lengths))],
    }


@pytest.mark.parametrize("train_lengths", [[400] * 60, list(range(300, 360))], ids=["one length", "many lengths"])
@pytest.mark.parametrize("eval_lengths", [[500] * 60, list(range(100, 900, 20))], ids=["another", "others"])
@pytest.mark.parametrize("speaker", [("",), ("ann", "bob"), ("ann", "")])
@pytest.mark.parametrize("infer_feature_shape", [True, False])
def test_recordings_may_have_any_length_and_no_speaker(train_lengths, eval_lengths, speaker, infer_feature_shape):
    train, other = clips(train_lengths, speaker=speaker), clips(eval_lengths, speaker=speaker)
    found = validate(train, other, infer_feature_shape)
    features = TASKS["audio_classification"].features
    assert findings(inspect(evidence(eval_=found, features=features))) == {}


def test_what_is_wrong_with_recordings_still_stops_the_run():
    features = TASKS["audio_classification"].features
    columns = clips([400] * 60, speaker=("ann",))
    with pytest.raises(DataError, match='eval: feature "label": Unexpected string values. .*three'):
        inspect(evidence(eval_=validate(columns, clips([500] * 60, ("one", "three"), ("ann",))), features=features))
    with pytest.raises(DataError, match='eval: feature "audio": Column dropped'):
        inspect(evidence(eval_=validate(columns, {**columns, "audio": [None] * 60}), features=features))


def test_a_threshold_for_a_label_that_no_record_has_stops_the_run():
    judged = {"evaluation.thresholds.f1/maybe": "maybe", "evaluation.thresholds.f1/pos": "pos"}
    with pytest.raises(
        DataError, match='thresholds.f1/maybe is about label "maybe", which no record of train'
    ) as caught:
        inspect(evidence(labels=["neg", "pos"], judged_labels=judged))
    assert "f1/pos" not in str(caught.value)
    assert findings(inspect(evidence(labels=["maybe", "pos"], judged_labels=judged))) == {}
