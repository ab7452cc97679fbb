import math

import pydantic
import pytest

from components.errors import EvaluationError
from components.evaluation.catalogue import check_metric_names, task_metrics
from components.evaluation.config import eval_config
from components.evaluation.extractors import is_length_feature, length_bucket, length_feature
from components.evaluation.results import Failure
from components.evaluation.settings import EvaluationSettings


def settings(**fields: object) -> EvaluationSettings:
    return EvaluationSettings.model_validate(fields)


@pytest.mark.parametrize(
    ("task", "name", "message"),
    [
        ("text_classification", "acuracy", "did you mean accuracy?"),
        ("text_classification", "f1", "did you mean f1/<label>?"),
        ("text_classification", "bleu", "Valid metrics: example_count, accuracy, auc, macro_f1, precision/<label>"),
        ("text_to_text", "blue", "did you mean bleu?"),
        ("text_to_text", "f1/pos", "Valid metrics: example_count, bleu, chrf, exact_match."),
    ],
)
def test_unknown_metric_is_refused_with_the_nearest_one(task: str, name: str, message: str):
    with pytest.raises(EvaluationError) as refusal:
        check_metric_names(task, settings(thresholds={name: {"min": 0.5}}))
    assert f'Unknown metric "evaluation.thresholds.{name}" for task {task}' in str(refusal.value)
    assert message in str(refusal.value)
    with pytest.raises(EvaluationError, match="evaluation.max_regression"):
        eval_config(task, settings(max_regression={name: 0.1}))


def test_unknown_task_is_refused():
    known = "text_classification, audio_classification, audio_generation, text_to_text"
    with pytest.raises(EvaluationError, match=f'task "poetry". Tasks that have one: {known}'):
        task_metrics("poetry")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"thresholds": {"accuracy": {}}}, 'needs "min", "max" or both'),
        (
            {"thresholds": {"accuracy": {"min": 0.9, "max": 0.1}}},
            'min" must not be above "max". Received: min=0.9, max=0.1',
        ),
        ({"max_regression": {"accuracy": -0.1}}, "greater than or equal to 0"),
        ({"length_buckets": [20, 10]}, r"must rise, for example \[10, 20, 40\]. Received: \[20, 10\]"),
        ({"treshold": {}}, "Extra inputs are not permitted"),
    ],
)
def test_wrong_settings_are_refused(fields: dict, message: str):
    with pytest.raises(pydantic.ValidationError, match=message):
        settings(**fields)


def test_settings_survive_json_and_configuration_is_the_same_each_time():
    made = settings(thresholds={"f1/pos": {"min": 0.5}, "accuracy": {"max": 1}}, max_regression={"auc": 0.1})
    again = EvaluationSettings.model_validate_json(made.model_dump_json())
    assert again == made
    first, second = (eval_config("text_classification", s) for s in (made, again))
    assert first.SerializeToString() == second.SerializeToString(), "else TFX's cache would never hit"


def test_something_is_always_judged():
    config = eval_config("text_to_text", settings())
    judged = [metric.class_name for metric in config.metrics_specs[0].metrics if metric.per_slice_thresholds]
    assert judged == ["ExampleCount"], "TFX blesses nothing without a threshold"


def test_failures_that_could_not_be_measured_say_so():
    assert Failure("auc", math.nan, 0.1, "regression", previous=0.9).message == (
        "auc could not be compared with the last blessed model's, which was asked (evaluation.max_regression.auc)"
    )
    assert Failure("auc", 0.3, 0.2, "max", "label=neg").message == (
        "auc on label=neg is 0.3; at most 0.2 was asked (evaluation.thresholds.auc.max)"
    )


def test_length_buckets_end_inclusively():
    ends = [3, 5]
    assert [length_bucket("w " * n, "words", ends) for n in (0, 3, 4, 5, 6)] == ["0-3", "0-3", "4-5", "4-5", "6+"]
    assert length_bucket("안녕하세요!", "characters", ends) == "6+"
    assert is_length_feature(length_feature("source", "characters", ends))
    assert not is_length_feature("label") and not is_length_feature("text_length_in_words")
