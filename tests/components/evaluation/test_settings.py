import math

import pydantic
import pytest

from components.errors import EvaluationError
from components.evaluation.catalogue import METRICS, check_metric_names, judging_of, metric_entry
from components.evaluation.config import eval_config
from components.evaluation.extractors import is_length_feature, length_bucket, length_feature
from components.evaluation.results import Failure
from components.evaluation.settings import EvaluationSettings
from models.registry import TASKS


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
    with pytest.raises(EvaluationError, match=f'task "poetry". Tasks that have one: {", ".join(TASKS)}'):
        judging_of("poetry")


@pytest.mark.parametrize("task", TASKS)
def test_each_metric_of_a_task_is_in_the_table_and_can_be_made_from_its_configuration(task: str):
    thresholds = {f"{kind}/x": {"min": 0.5} for kind in TASKS[task].judging.per_class}
    assert set(TASKS[task].judging.metrics) <= set(METRICS)
    config = eval_config(task, settings(thresholds=thresholds))
    # Not above: TFMA is whole only where TFX was imported first.
    from tensorflow_model_analysis.metrics import metric_specs

    computations = metric_specs.to_computations(list(config.metrics_specs), eval_config=config)
    assert len(computations) >= len(TASKS[task].judging.metrics)
    assert all(metric_entry(TASKS[task].judging, name) for name in thresholds)


def test_slices_are_those_of_every_label_that_the_task_has():
    def slices(task: str) -> list[list[str]]:
        return [list(spec.feature_keys) for spec in eval_config(task, settings(length_buckets=[3])).slicing_specs]

    assert slices("audio_generation") == [[], ["label"], ["speaker"]]
    assert slices("text_classification") == [[], ["label"], ["text_length_in_words_3"]]
    assert slices("text_to_text") == [[], ["source_length_in_words_3"]]


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
