"""Whole evaluations of tiny SavedModels by TFMA, on Beam in this process."""

from pathlib import Path
from typing import Any

import pytest
import sacrebleu
from apache_beam.options.pipeline_options import PipelineOptions

from components.evaluation.config import eval_config
from components.evaluation.extractors import custom_extractors
from components.evaluation.results import Failure, confusion_matrix, failures, load_metrics
from components.evaluation.settings import EvaluationSettings
from components.evaluation.tfma import tfma
from tests.components.evaluation.tiny_models import (
    ROWS,
    SENTIMENT,
    KeywordClassifier,
    Translator,
    save,
    write_examples,
)

RUNNER = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]
PAIRS = [
    {"source": "das Haus ist alt", "target": "the house is old"},
    {"source": "das Meer", "target": "the sea"},
    {"source": "alt ist das Haus am Meer", "target": "old is the house by the sea"},
    {"source": "das Haus", "target": "the house"},
]
GERMAN = {"das": "the", "Haus": "house", "ist": "is", "alt": "aged", "Meer": "sea"}


def evaluate(
    folder: Path, task: str, settings: EvaluationSettings, rows: list[dict[str, str]], model: Any, baseline: Any = None
) -> str:
    """Runs TFMA as TFX's Evaluator does; returns the folder of the evaluation."""
    write_examples(folder / "examples", rows)
    config = tfma.utils.update_eval_config_with_defaults(
        eval_config(task, settings), has_baseline=baseline is not None, rubber_stamp=True
    )
    shared = [
        tfma.default_eval_shared_model(str(save(m, folder / f"model{i}")), model_name=spec.name, eval_config=config)
        for i, (m, spec) in enumerate(zip([model, baseline], config.model_specs, strict=False))
    ]
    shared = shared if baseline else shared[0]
    tfma.run_model_analysis(
        eval_shared_model=shared,
        eval_config=config,
        data_location=str(folder / "examples" / "*.gz"),
        output_path=str(folder / "evaluation"),
        extractors=custom_extractors(shared, config, None),
        pipeline_options=PipelineOptions(RUNNER),
    )
    return str(folder / "evaluation")


@pytest.fixture(scope="module")
def classified(tmp_path_factory: pytest.TempPathFactory) -> str:
    settings = EvaluationSettings.model_validate(
        {
            "length_buckets": [2, 5],
            "slice_by": ["Land (DE)"],
            "thresholds": {"accuracy": {"min": 0.84}, "f1/pos": {"max": 0.5}, "recall/neg": {"min": 0.5}},
            "max_regression": {"accuracy": 0.1, "auc": 0.9},
        }
    )
    folder = tmp_path_factory.mktemp("classified")
    better = KeywordClassifier({"neg": "bad", "pos": "good"})
    # Answers "neg" whenever no word is known, so "good" examples are lost.
    worse = KeywordClassifier({"neg": "bad", "pos": "excellent"})
    rows = [row | {"Land (DE)": country} for row, country in zip(ROWS, ["日本", "", "日本"] + [""] * 5, strict=True)]
    return evaluate(folder, "text_classification", settings, rows, worse, baseline=better)


def test_metrics_of_all_examples_by_hand(classified: str):
    previous = load_metrics(classified, baseline=True)["overall"]
    assert previous["example_count"] == 8
    # Right: three of four pos ("bad good bad" is not), three of four neg ("not good" is not).
    assert previous["accuracy"] == 6 / 8
    assert previous["precision/pos"] == previous["recall/pos"] == previous["f1/pos"] == 3 / 4
    assert previous["macro_f1"] == 3 / 4
    # Log-odds in units of log 2. pos: 2, 1, 2, -1. neg: -1, -2, -2, 1.
    wins = 4 + (3 + 0.5) + 4 + (2 + 0.5)
    assert previous["auc"] == pytest.approx(wins / 16)
    assert confusion_matrix(classified, baseline=True) == {"pos": {"pos": 3, "neg": 1}, "neg": {"neg": 3, "pos": 1}}

    assert load_metrics(classified)["overall"]["accuracy"] == 0.5
    assert confusion_matrix(classified) == {"pos": {"neg": 4}, "neg": {"neg": 4}}


def test_slices_by_column_by_label_and_by_length(classified: str):
    slices = load_metrics(classified, baseline=True)
    columns = ["Land (DE)=(empty)", "Land (DE)=日本"]
    assert list(slices) == ["overall", *columns, "label=neg", "label=pos", "length=0-2", "length=3-5", "length=6+"]
    assert [slices[name]["example_count"] for name in columns] == [6, 2]
    assert slices["label=pos"]["accuracy"] == 3 / 4
    assert "auc" not in slices["label=pos"], "AUC is undefined where there is one label only"
    assert {name: slices[f"length={name}"]["example_count"] for name in ("0-2", "3-5", "6+")} == {
        "0-2": 3,
        "3-5": 3,
        "6+": 2,
    }
    assert slices["length=6+"]["accuracy"] == 1.0
    assert confusion_matrix(classified, "length=0-2", baseline=True) == {"pos": {"pos": 1}, "neg": {"neg": 1, "pos": 1}}


def test_failures_name_value_bound_and_setting(classified: str):
    found = failures(classified)
    assert found == [
        Failure("accuracy", 0.5, 0.84, "min"),
        Failure("accuracy", 0.5, 0.1, "regression", previous=0.75),
    ], "f1/pos, recall/neg and the allowed regression of auc passed; slices are not judged"
    assert [failure.message for failure in found] == [
        "accuracy is 0.5; at least 0.84 was asked (evaluation.thresholds.accuracy.min)",
        "accuracy is 0.5, 0.25 worse than the last blessed model's 0.75; at most 0.1 worse was asked "
        "(evaluation.max_regression.accuracy)",
    ]


def test_first_model_is_not_judged_by_change_and_unseen_labels_count_as_errors(tmp_path: Path):
    settings = EvaluationSettings.model_validate(
        {"max_regression": {"accuracy": 0.0}, "thresholds": {"accuracy": {"min": 0.5}}, "length_buckets": []}
    )
    rows = [{"text": "good", "label": "pos"}, {"text": "bad", "label": "중립"}]
    uri = evaluate(tmp_path, "text_classification", settings, rows, KeywordClassifier(SENTIMENT))
    assert failures(uri) == []
    assert load_metrics(uri)["overall"]["recall/중립"] == 0.0
    assert load_metrics(uri, baseline=True) == {}
    assert "label=중립" in load_metrics(uri)


def test_translation_scores_are_sacrebleus(tmp_path: Path):
    settings = EvaluationSettings.model_validate(
        {"thresholds": {"bleu": {"min": 90}}, "length_buckets": [10], "length_unit": "characters"}
    )
    uri = evaluate(tmp_path, "text_to_text", settings, PAIRS, Translator(GERMAN))
    targets = ["the house is aged", "the sea", "aged is the house am sea", "the house"]
    references = [row["target"] for row in PAIRS]
    overall = load_metrics(uri)["overall"]

    assert overall["bleu"] == pytest.approx(sacrebleu.corpus_bleu(targets, [references]).score)
    assert overall["chrf"] == pytest.approx(sacrebleu.corpus_chrf(targets, [references]).score)
    assert overall["exact_match"] == 0.5
    assert load_metrics(uri)["length=0-10"]["exact_match"] == 1.0
    [failure] = failures(uri)
    assert (failure.metric, failure.kind, failure.value) == ("bleu", "min", pytest.approx(overall["bleu"]))


def test_an_empty_split_is_refused(tmp_path: Path):
    uri = evaluate(tmp_path, "text_classification", EvaluationSettings(), [], KeywordClassifier(SENTIMENT))
    assert [f.message for f in failures(uri)] == ["the evaluation split holds no examples; at least 1 was asked"]


def test_a_threshold_on_a_class_that_never_occurs_fails(tmp_path: Path):
    settings = EvaluationSettings.model_validate({"thresholds": {"f1/neutral": {"min": 0.1}}})
    uri = evaluate(tmp_path, "text_classification", settings, ROWS, KeywordClassifier(SENTIMENT))
    assert [f.message for f in failures(uri)] == [
        "f1/neutral could not be measured; at least 0.1 was asked (evaluation.thresholds.f1/neutral.min)"
    ]
