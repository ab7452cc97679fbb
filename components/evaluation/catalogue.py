"""The metrics of each task, by name. Light to import: TFMA itself is loaded only where metrics are computed."""

import dataclasses
import difflib

from components.errors import EvaluationError
from components.evaluation.settings import EvaluationSettings


@dataclasses.dataclass(frozen=True)
class MetricEntry:
    """One metric that thresholds may name.

    Attributes:
        name: what users write.
        class_name: class of the TFMA metric.
        module: where that class is; empty for TFMA's own.
        lower_is_better: as for bits; else greater is better.
    """

    name: str
    class_name: str
    module: str = ""
    lower_is_better: bool = False


@dataclasses.dataclass(frozen=True)
class TaskMetrics:
    """What is computed for one task.

    Attributes:
        label_key: feature of the raw example that holds the right answer.
        prediction_key: output of the model that is compared with it.
        text_key: feature whose length makes the length slices; empty for none.
        entries: metrics with a name known in advance.
        class_scores: names that are computed once per class, as `f1/<label>`.
        slice_keys: features whose values make the slices by label.
    """

    label_key: str
    prediction_key: str
    text_key: str
    entries: tuple[MetricEntry, ...]
    class_scores: tuple[str, ...] = ()
    slice_keys: tuple[str, ...] = ()

    def entry(self, name: str) -> MetricEntry | None:
        """The metric that the user calls `name`, also `f1/<label>` for whatever label, or None."""
        kind, slash, label = name.partition("/")
        if slash and label and kind in self.class_scores:
            return MetricEntry(name, "ClassScore", "components.evaluation.metrics.class_scores")
        return next((entry for entry in self.entries if entry.name == name), None)


_METRICS = "components.evaluation.metrics"
_EXAMPLE_COUNT = MetricEntry("example_count", "ExampleCount")
_CLASSIFICATION = (
    _EXAMPLE_COUNT,
    MetricEntry("accuracy", "Accuracy", f"{_METRICS}.accuracy"),
    MetricEntry("auc", "OneVersusRestAuc", f"{_METRICS}.auc"),
    MetricEntry("macro_f1", "MacroF1", f"{_METRICS}.macro_f1"),
)

TASK_METRICS: dict[str, TaskMetrics] = {
    "text_classification": TaskMetrics(
        label_key="label",
        prediction_key="label",
        text_key="text",
        entries=_CLASSIFICATION,
        class_scores=("precision", "recall", "f1"),
        slice_keys=("label",),
    ),
    "audio_classification": TaskMetrics(
        label_key="label",
        prediction_key="label",
        text_key="",
        entries=_CLASSIFICATION,
        class_scores=("precision", "recall", "f1"),
        slice_keys=("label", "speaker"),
    ),
    "audio_generation": TaskMetrics(
        label_key="label",
        prediction_key="log_prob",
        text_key="",
        entries=(
            _EXAMPLE_COUNT,
            MetricEntry("bits_per_sample", "BitsPerSample", f"{_METRICS}.bits", lower_is_better=True),
        ),
        slice_keys=("label", "speaker"),
    ),
    "text_to_text": TaskMetrics(
        label_key="target",
        prediction_key="target",
        text_key="source",
        entries=(
            _EXAMPLE_COUNT,
            MetricEntry("bleu", "CorpusBleu", f"{_METRICS}.bleu"),
            MetricEntry("chrf", "CorpusChrf", f"{_METRICS}.chrf"),
            # TFMA's own: bytes compared with bytes, which is what both sides are.
            MetricEntry("exact_match", "ExactMatch"),
        ),
    ),
}


def task_metrics(task: str) -> TaskMetrics:
    """The metrics of a task."""
    if task not in TASK_METRICS:
        raise EvaluationError(
            f'No evaluation is known for task "{task}". Tasks that have one: {", ".join(TASK_METRICS)}.'
        )
    return TASK_METRICS[task]


def check_metric_names(task: str, settings: EvaluationSettings) -> None:
    """Refuses thresholds on metrics that the task does not have, with the nearest valid name."""
    metrics = task_metrics(task)
    names = [entry.name for entry in metrics.entries]
    patterns = [f"{kind}/<label>" for kind in metrics.class_scores]
    for section in ("thresholds", "max_regression"):
        for name in getattr(settings, section):
            if metrics.entry(name) is None:
                nearest = difflib.get_close_matches(name, [*names, *metrics.class_scores], n=1)
                hint = {p.partition("/")[0]: p for p in patterns}.get(nearest[0], nearest[0]) if nearest else ""
                raise EvaluationError(
                    f'Unknown metric "evaluation.{section}.{name}" for task {task}'
                    + (f"; did you mean {hint}?" if hint else ".")
                    + f" Valid metrics: {', '.join([*names, *patterns])}."
                )
