"""The metrics, by name. Light to import: TFMA itself is loaded only where metrics are computed."""

import dataclasses
import difflib
from collections.abc import Mapping

from components.errors import EvaluationError
from components.evaluation.settings import EvaluationSettings
from models.registry import TASKS
from models.tasks.task import Judging


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What is reached without a look at the input; a model that is no better is told as such.

    Attributes:
        answer: what reaches it, in words.
        metric: key of `METRICS` that computes it from the same examples; "" where it is always `value`.
        value: what it always is.
    """

    answer: str
    metric: str = ""
    value: float | None = None


@dataclasses.dataclass(frozen=True)
class MetricEntry:
    """How a metric is computed.

    Attributes:
        class_name: class of the TFMA metric.
        module: of ours where that class is; empty for TFMA's own.
        lower_is_better: as for bits; else greater is better.
        arguments: of the class, besides its name.
        takes_output: whether the class takes the name of the output that is judged, the task's `prediction_key`.
        baseline: what a guess reaches; None: unknown.
        compares_texts: whether answers are texts of their own, which may all be the same.
    """

    class_name: str
    module: str = ""
    lower_is_better: bool = False
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    takes_output: bool = False
    baseline: Baseline | None = None
    compares_texts: bool = False


_METRICS = "components.evaluation.metrics"
_CONFUSION = MetricEntry("ConfusionMetric", f"{_METRICS}.confusion", takes_output=True)
_CORPUS_SCORE = MetricEntry("CorpusBleu", f"{_METRICS}.corpus_score", takes_output=True, compares_texts=True)
_SAMENESS = MetricEntry("MostFrequentShare", f"{_METRICS}.sameness")
_MAJORITY = "the most frequent label for every example"
# Metrics of this prefix are computed for `components.evaluation.judgement`; nobody is shown them.
BASELINE = "baseline/"
ANSWERS_ALIKE, RIGHT_ANSWERS_ALIKE = f"{BASELINE}answers_alike", f"{BASELINE}right_answers_alike"

METRICS: dict[str, MetricEntry] = {
    "example_count": MetricEntry("ExampleCount"),
    "accuracy": dataclasses.replace(_CONFUSION, baseline=Baseline(_MAJORITY, f"{BASELINE}accuracy")),
    "macro_f1": dataclasses.replace(_CONFUSION, baseline=Baseline(_MAJORITY, f"{BASELINE}macro_f1")),
    "auc": MetricEntry("OneVersusRestAuc", f"{_METRICS}.auc", baseline=Baseline("a guess", value=0.5)),
    "bleu": _CORPUS_SCORE,
    "chrf": dataclasses.replace(_CORPUS_SCORE, class_name="CorpusChrf"),
    # TFMA's own: bytes compared with bytes, which is what both sides are.
    "exact_match": MetricEntry("ExactMatch", compares_texts=True),
    "bits_per_sample": MetricEntry(
        "BitsPerUnit",
        f"{_METRICS}.bits",
        lower_is_better=True,
        arguments={"units": "num_samples"},
        takes_output=True,
        baseline=Baseline("a guess among all 256 levels", value=8.0),
    ),
    # What a task with scores of each class has besides those that it names.
    "confusion_matrix": _CONFUSION,
    "class_scores": _CONFUSION,
    f"{BASELINE}accuracy": _CONFUSION,
    f"{BASELINE}macro_f1": _CONFUSION,
    ANSWERS_ALIKE: dataclasses.replace(_SAMENESS, takes_output=True),
    RIGHT_ANSWERS_ALIKE: _SAMENESS,
}
PER_CLASS: dict[str, MetricEntry] = {"precision": _CONFUSION, "recall": _CONFUSION, "f1": _CONFUSION}


def judging_of(task: str) -> Judging:
    """How the answers of a task are judged."""
    if task not in TASKS:
        raise EvaluationError(f'No evaluation is known for task "{task}". Tasks that have one: {", ".join(TASKS)}.')
    return TASKS[task].judging


def metric_entry(judging: Judging, name: str) -> MetricEntry | None:
    """The metric that the user calls `name`, also `f1/<label>` for whatever label; None where the task has none."""
    kind, slash, label = name.partition("/")
    if slash and label and kind in judging.per_class:
        return PER_CLASS[kind]
    return METRICS[name] if name in judging.metrics else None


def check_metric_names(task: str, settings: EvaluationSettings) -> None:
    """Refuses thresholds on metrics that the task does not have, with the nearest valid name."""
    judging = judging_of(task)
    patterns = [f"{kind}/<label>" for kind in judging.per_class]
    for section in ("thresholds", "max_regression"):
        for name in getattr(settings, section):
            if metric_entry(judging, name) is None:
                nearest = difflib.get_close_matches(name, [*judging.metrics, *judging.per_class], n=1)
                hint = {p.partition("/")[0]: p for p in patterns}.get(nearest[0], nearest[0]) if nearest else ""
                raise EvaluationError(
                    f'Unknown metric "evaluation.{section}.{name}" for task {task}'
                    + (f"; did you mean {hint}?" if hint else ".")
                    + f" Valid metrics: {', '.join([*judging.metrics, *patterns])}."
                )
