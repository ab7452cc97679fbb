"""The metrics, by name. Light to import: TFMA itself is loaded only where metrics are computed."""

import dataclasses
import difflib
from collections.abc import Mapping

from components.errors import EvaluationError
from components.evaluation.settings import EvaluationSettings
from models.registry import TASKS
from models.tasks.task import Judging


@dataclasses.dataclass(frozen=True)
class MetricEntry:
    """How a metric is computed.

    Attributes:
        class_name: class of the TFMA metric.
        module: of ours where that class is; empty for TFMA's own.
        lower_is_better: as for bits; else greater is better.
        arguments: of the class, besides its name.
        takes_output: whether the class takes the name of the output that is judged, the task's `prediction_key`.
        reported_with: of a metric by class, the metrics that report it for all classes together.
    """

    class_name: str
    module: str = ""
    lower_is_better: bool = False
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    takes_output: bool = False
    reported_with: tuple[str, ...] = ()


_METRICS = "components.evaluation.metrics"


def _of_units(class_name: str, units: str) -> MetricEntry:
    """A metric of an example's log probability and of how many units it has, by an output of the model."""
    arguments = {"units": units}
    return MetricEntry(class_name, f"{_METRICS}.bits", lower_is_better=True, arguments=arguments, takes_output=True)


_CONFUSION = MetricEntry("ConfusionMetric", f"{_METRICS}.confusion", takes_output=True)


_CONFUSION = MetricEntry(
    "ConfusionMetric",
    f"{_METRICS}.confusion",
    takes_output=True,
    reported_with=("confusion_matrix", "class_scores"),
)
_ENTITIES = MetricEntry("EntityMetric", f"{_METRICS}.entities", takes_output=True, reported_with=("entity_scores",))

METRICS: dict[str, MetricEntry] = {
    "example_count": MetricEntry("ExampleCount"),
    "accuracy": _CONFUSION,
    "macro_f1": _CONFUSION,
    "auc": MetricEntry("OneVersusRestAuc", f"{_METRICS}.auc"),
    "bleu": MetricEntry("CorpusBleu", f"{_METRICS}.corpus_score", takes_output=True),
    "chrf": MetricEntry("CorpusChrf", f"{_METRICS}.corpus_score", takes_output=True),
    # TFMA's own: bytes compared with bytes, which is what both sides are.
    "exact_match": MetricEntry("ExactMatch"),
    "bits_per_sample": _of_units("BitsPerUnit", "num_samples"),
    # Of a language model, for each unit that it predicts: exp(nats), and nats; then bits for what people count.
    "perplexity": _of_units("Perplexity", "num_units"),
    "cross_entropy": _of_units("CrossEntropy", "num_units"),
    "bits_per_character": _of_units("BitsPerUnit", "num_characters"),
    "bits_per_byte": _of_units("BitsPerUnit", "num_bytes"),
    "loss_per_prediction": MetricEntry(
        "Ratio",
        f"{_METRICS}.ratio",
        lower_is_better=True,
        arguments={"units": "num_predictions", "output": "loss"},
    ),
    "known_words": MetricEntry("Ratio", f"{_METRICS}.ratio", arguments={"units": "num_words", "output": "num_known"}),
    "entity_precision": _ENTITIES,
    "entity_recall": _ENTITIES,
    "entity_f1": _ENTITIES,
    "macro_entity_f1": _ENTITIES,
    "token_accuracy": _ENTITIES,
    "entity_scores": _ENTITIES,
    "same_cut": MetricEntry("MeanOutput", f"{_METRICS}.mean_output", arguments={"output": "same_cut"}),
    # What a task with scores of each class has besides those that it names.
    "confusion_matrix": _CONFUSION,
    "class_scores": _CONFUSION,
}
PER_CLASS: dict[str, MetricEntry] = {
    "precision": _CONFUSION,
    "recall": _CONFUSION,
    "f1": _CONFUSION,
    "entity_precision": _ENTITIES,
    "entity_recall": _ENTITIES,
    "entity_f1": _ENTITIES,
}


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
