"""TFMA's configuration, made from the task and the `evaluation` section."""

import json

from components.evaluation.catalogue import (
    ANSWERS_ALIKE,
    METRICS,
    PER_CLASS,
    RIGHT_ANSWERS_ALIKE,
    MetricEntry,
    check_metric_names,
    judging_of,
    metric_entry,
)
from components.evaluation.extractors import length_feature
from components.evaluation.settings import EvaluationSettings
from components.evaluation.tfma import config_pb2, tfma
from models.registry import TASKS
from models.tasks.task import Judging, Task

SIGNATURE = "examples"
# A difference such as 0.80 - 0.82 is off by some 1e-17, which must not fail a bound of 0.02.
_ROUNDING = 1e-9


def eval_config(task: str, settings: EvaluationSettings) -> config_pb2.EvalConfig:
    """Says to TFMA what to compute, for which slices, and what passes.

    Class names are not needed: our classification metrics read them from the model's answers.
    """
    check_metric_names(task, settings)
    judging = judging_of(task)
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                model_type=tfma.TF_GENERIC,
                signature_name=SIGNATURE,
                label_key=judging.label_key,
                prediction_key=judging.prediction_key,
            )
        ],
        slicing_specs=_slicing_specs(TASKS[task], settings),
        metrics_specs=[config_pb2.MetricsSpec(metrics=_metric_configs(judging, settings))],
        options=config_pb2.Options(include_default_metrics={"value": False}),
    )


def _slicing_specs(task: Task, settings: EvaluationSettings) -> list[config_pb2.SlicingSpec]:
    specs = [config_pb2.SlicingSpec()]
    if settings.slice_by_label:
        # One label for each of many values makes no slice of examples.
        labels = [each for each in task.features if each.facts.learned == "categories" and not each.facts.many]
        specs += [config_pb2.SlicingSpec(feature_keys=[label.name]) for label in labels]
    specs += [config_pb2.SlicingSpec(feature_keys=[name]) for name in settings.slice_by]
    if settings.length_buckets and task.judging.length_of:
        feature = length_feature(task.judging.length_of, settings.length_unit, settings.length_buckets)
        specs.append(config_pb2.SlicingSpec(feature_keys=[feature]))
    return specs


def _metric_configs(judging: Judging, settings: EvaluationSettings) -> list[config_pb2.MetricConfig]:
    entries = {name: METRICS[name] for name in judging.metrics}
    for kind in judging.per_class:
        entries |= {name: METRICS[name] for name in PER_CLASS[kind].reported_with}
    entries |= {name: METRICS[name] for name in _baselines(judging)}
    for name in sorted({*settings.thresholds, *settings.compared} - set(entries)):
        if entry := metric_entry(judging, name):
            entries[name] = entry
    return [_metric_config(name, entry, judging, settings) for name, entry in entries.items()]


def _baselines(judging: Judging) -> list[str]:
    """What is computed besides, to tell whether the model is better than a guess."""
    entries = [METRICS[name] for name in judging.metrics]
    computed = [entry.baseline.metric for entry in entries if entry.baseline and entry.baseline.metric]
    alike = [ANSWERS_ALIKE, RIGHT_ANSWERS_ALIKE] if any(entry.compares_texts for entry in entries) else []
    return [*computed, *alike]


def _metric_config(
    name: str, entry: MetricEntry, judging: Judging, settings: EvaluationSettings
) -> config_pb2.MetricConfig:
    threshold = _threshold(name, entry, settings)
    # A plain `threshold` would be asked of every slice; this form asks it of all examples together.
    overall = [config_pb2.PerSliceMetricThreshold(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)]
    output = {"output": judging.prediction_key} if entry.takes_output else {}
    return config_pb2.MetricConfig(
        class_name=entry.class_name,
        module=entry.module,
        config=json.dumps({"name": name, **output, **entry.arguments}),
        per_slice_thresholds=overall if threshold.ByteSize() else [],
    )


def _threshold(name: str, entry: MetricEntry, settings: EvaluationSettings) -> config_pb2.MetricThreshold:
    threshold = config_pb2.MetricThreshold()
    bound = settings.thresholds.get(name)
    if bound and bound.min is not None:
        threshold.value_threshold.lower_bound.value = bound.min
    if bound and bound.max is not None:
        threshold.value_threshold.upper_bound.value = bound.max
    if name == "example_count" and not (bound and bound.min is not None):
        # TFX blesses nothing when no threshold is set, and an empty split proves nothing.
        threshold.value_threshold.lower_bound.value = 1.0
    if name in settings.max_regression:
        allowed, change = settings.max_regression[name] + _ROUNDING, threshold.change_threshold
        if entry.lower_is_better:
            change.direction, change.absolute.value = config_pb2.MetricDirection.LOWER_IS_BETTER, allowed
        else:
            change.direction, change.absolute.value = config_pb2.MetricDirection.HIGHER_IS_BETTER, -allowed
    return threshold
