"""TFMA's configuration, made from the task and the `evaluation` section."""

import json

from components.evaluation.catalogue import MetricEntry, TaskMetrics, check_metric_names, task_metrics
from components.evaluation.extractors import length_feature
from components.evaluation.settings import EvaluationSettings
from components.evaluation.tfma import config_pb2, tfma

SIGNATURE = "examples"
# A difference such as 0.80 - 0.82 is off by some 1e-17, which must not fail a bound of 0.02.
_ROUNDING = 1e-9


def eval_config(task: str, settings: EvaluationSettings) -> config_pb2.EvalConfig:
    """Says to TFMA what to compute, for which slices, and what passes.

    Class names are not needed: our classification metrics read them from the model's answers.
    """
    check_metric_names(task, settings)
    metrics = task_metrics(task)
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                model_type=tfma.TF_GENERIC,
                signature_name=SIGNATURE,
                label_key=metrics.label_key,
                prediction_key=metrics.prediction_key,
            )
        ],
        slicing_specs=_slicing_specs(metrics, settings),
        metrics_specs=[config_pb2.MetricsSpec(metrics=_metric_configs(metrics, settings))],
        options=config_pb2.Options(include_default_metrics={"value": False}),
    )


def _slicing_specs(metrics: TaskMetrics, settings: EvaluationSettings) -> list[config_pb2.SlicingSpec]:
    specs = [config_pb2.SlicingSpec()]
    if settings.slice_by_label:
        specs += [config_pb2.SlicingSpec(feature_keys=[key]) for key in metrics.slice_keys]
    if settings.length_buckets and metrics.text_key:
        feature = length_feature(metrics.text_key, settings.length_unit, settings.length_buckets)
        specs.append(config_pb2.SlicingSpec(feature_keys=[feature]))
    return specs


def _metric_configs(metrics: TaskMetrics, settings: EvaluationSettings) -> list[config_pb2.MetricConfig]:
    entries = list(metrics.entries)
    if metrics.class_scores:
        entries.append(
            MetricEntry("confusion_matrix", "ConfusionMatrix", "components.evaluation.metrics.confusion_matrix")
        )
        entries.append(MetricEntry("class_scores", "ClassScores", "components.evaluation.metrics.class_scores"))
    for name in sorted({*settings.thresholds, *settings.max_regression} - {entry.name for entry in entries}):
        entry = metrics.entry(name)
        if entry:
            entries.append(entry)
    return [_metric_config(entry, settings) for entry in entries]


def _metric_config(entry: MetricEntry, settings: EvaluationSettings) -> config_pb2.MetricConfig:
    threshold = _threshold(entry, settings)
    # A plain `threshold` would be asked of every slice; this form asks it of all examples together.
    overall = [config_pb2.PerSliceMetricThreshold(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)]
    return config_pb2.MetricConfig(
        class_name=entry.class_name,
        module=entry.module,
        config=json.dumps({"name": entry.name}),
        per_slice_thresholds=overall if threshold.ByteSize() else [],
    )


def _threshold(entry: MetricEntry, settings: EvaluationSettings) -> config_pb2.MetricThreshold:
    name, threshold = entry.name, config_pb2.MetricThreshold()
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
