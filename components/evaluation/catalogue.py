"""The metrics, by name. Light to import: TFMA itself is loaded only where metrics are computed."""

import dataclasses
import difflib
from collections.abc import Collection, Iterator, Mapping

from components.errors import EvaluationError
from components.evaluation.settings import EvaluationSettings
from components.example_gen.suggestions import did_you_mean, quoted
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
        least: value that no model can be below; None: there is no such.
        greatest: value that no model can be above; None: there is no such.
        arguments: of the class, besides its name.
        takes_output: whether the class takes the name of the output that is judged, the task's `prediction_key`.
        reported_with: of a metric by class, the metrics that report it for all classes together.
        baseline: what a guess reaches; None: unknown.
        compares_texts: whether answers are texts of their own, which may all be the same.
        of_one: whether its value over a single example tells how good that answer is.
    """

    class_name: str
    module: str = ""
    lower_is_better: bool = False
    least: float | None = None
    greatest: float | None = None
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    takes_output: bool = False
    reported_with: tuple[str, ...] = ()
    baseline: Baseline | None = None
    compares_texts: bool = False
    of_one: bool = False


EXAMPLE_COUNT = "example_count"
_METRICS = "components.evaluation.metrics"
_MAJORITY = "the most frequent label for every example"
# Settings that bound metrics by their names.
_BOUNDS = ("thresholds", "max_regression")
# Metrics of this prefix are computed for `components.evaluation.judgement`; nobody is shown them.
BASELINE = "baseline/"
ANSWERS_ALIKE, RIGHT_ANSWERS_ALIKE = f"{BASELINE}answers_alike", f"{BASELINE}right_answers_alike"

_CONFUSION = MetricEntry(
    "ConfusionMetric",
    f"{_METRICS}.confusion",
    least=0.0,
    greatest=1.0,
    takes_output=True,
    reported_with=("confusion_matrix", "class_scores"),
)
_CORPUS_SCORE = MetricEntry(
    "CorpusBleu", f"{_METRICS}.corpus_score", least=0.0, greatest=100.0, takes_output=True, compares_texts=True
)
_SAMENESS = MetricEntry("MostFrequentShare", f"{_METRICS}.sameness", least=0.0, greatest=1.0)
_MAJORITY_SHARE = MetricEntry("MajorityShare", f"{_METRICS}.majority", least=0.0, greatest=1.0)
_ENTITIES = MetricEntry(
    "EntityMetric",
    f"{_METRICS}.entities",
    least=0.0,
    greatest=1.0,
    takes_output=True,
    reported_with=("entity_scores",),
)


def _of_units(class_name: str, units: str, least: float = 0.0, baseline: Baseline | None = None) -> MetricEntry:
    """A metric of an example's log probability and of how many units it has, by an output of the model."""
    return MetricEntry(
        class_name,
        f"{_METRICS}.bits",
        lower_is_better=True,
        least=least,
        arguments={"units": units},
        takes_output=True,
        baseline=baseline,
        of_one=True,
    )


def _share(output: str, units: str, guess: str = "", right_answers: str = "") -> MetricEntry:
    """What an output adds up to for each unit of another one, and what a guess reaches of the right answers."""
    return MetricEntry(
        "Ratio",
        f"{_METRICS}.ratio",
        least=0.0,
        greatest=1.0,
        arguments={"units": units, "output": output},
        baseline=Baseline(guess, f"{BASELINE}{right_answers}") if guess else None,
        of_one=bool(guess),
    )


METRICS: dict[str, MetricEntry] = {
    EXAMPLE_COUNT: MetricEntry("ExampleCount", least=0.0),
    "accuracy": dataclasses.replace(_CONFUSION, baseline=Baseline(_MAJORITY, f"{BASELINE}accuracy"), of_one=True),
    "macro_f1": dataclasses.replace(_CONFUSION, baseline=Baseline(_MAJORITY, f"{BASELINE}macro_f1")),
    "auc": MetricEntry(
        "OneVersusRestAuc", f"{_METRICS}.auc", least=0.0, greatest=1.0, baseline=Baseline("a guess", value=0.5)
    ),
    "bleu": _CORPUS_SCORE,
    "chrf": dataclasses.replace(_CORPUS_SCORE, class_name="CorpusChrf", of_one=True),
    # TFMA's own: bytes compared with bytes, which is what both sides are.
    "exact_match": MetricEntry("ExactMatch", least=0.0, greatest=1.0, compares_texts=True),
    "bits_per_sample": _of_units(
        "BitsPerUnit", "num_samples", baseline=Baseline("a guess among all 256 levels", value=8.0)
    ),
    # Of a language model, for each unit that it predicts: exp(nats), and nats; then bits for what people count.
    "perplexity": _of_units("Perplexity", "num_units", least=1.0),
    "cross_entropy": _of_units("CrossEntropy", "num_units"),
    "bits_per_character": _of_units("BitsPerUnit", "num_characters"),
    "bits_per_byte": _of_units("BitsPerUnit", "num_bytes", baseline=Baseline("a guess among all 256 bytes", value=8.0)),
    "loss_per_prediction": MetricEntry(
        "Ratio",
        f"{_METRICS}.ratio",
        lower_is_better=True,
        least=0.0,
        arguments={"units": "num_predictions", "output": "loss"},
        of_one=True,
    ),
    "known_words": _share("num_known", "num_words"),
    "masked_accuracy": _share("num_right", "num_units", "the most frequent hidden piece for every one", "hidden"),
    "next_sentence_accuracy": _share("next_right", "num_next", "the same answer for every pair", "follows"),
    "entity_precision": _ENTITIES,
    "entity_recall": _ENTITIES,
    "entity_f1": dataclasses.replace(_ENTITIES, baseline=Baseline("an answer without any entity", value=0.0)),
    "macro_entity_f1": _ENTITIES,
    "token_accuracy": dataclasses.replace(_ENTITIES, of_one=True),
    "entity_scores": _ENTITIES,
    "same_cut": MetricEntry(
        "MeanOutput", f"{_METRICS}.mean_output", least=0.0, greatest=1.0, arguments={"output": "same_cut"}
    ),
    # What a task with scores of each class has besides those that it names.
    "confusion_matrix": _CONFUSION,
    "class_scores": _CONFUSION,
    f"{BASELINE}accuracy": _CONFUSION,
    f"{BASELINE}macro_f1": _CONFUSION,
    f"{BASELINE}hidden": dataclasses.replace(_MAJORITY_SHARE, arguments={"output": "hidden"}),
    f"{BASELINE}follows": dataclasses.replace(_MAJORITY_SHARE, arguments={"output": "follows"}),
    ANSWERS_ALIKE: dataclasses.replace(_SAMENESS, takes_output=True),
    RIGHT_ANSWERS_ALIKE: _SAMENESS,
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


def ranking_metric(judging: Judging) -> str:
    """The first metric whose value over one example tells how good that answer is."""
    names = [name for name in judging.metrics if name != EXAMPLE_COUNT]
    return next((name for name in names if METRICS[name].of_one), names[0])


def main_metric(judging: Judging, settings: EvaluationSettings) -> str:
    """The metric that is spoken of where one must do: the first that has a bound, else the one that ranks examples."""
    bounded = [name for name in (*settings.thresholds, *settings.compared) if name in judging.metrics]
    return next((name for name in bounded if name != EXAMPLE_COUNT), ranking_metric(judging))


def check_metric_names(task: str, settings: EvaluationSettings) -> None:
    """Refuses bounds on metrics that the task does not have, with the nearest valid name."""
    if told := next(unknown_metrics(task, settings), None):
        raise EvaluationError(told)


def unknown_metrics(task: str, settings: EvaluationSettings) -> Iterator[str]:
    """One sentence for each metric that the settings name and the task does not have, with the nearest valid name."""
    judging = judging_of(task)
    patterns = {kind: f"{kind}/<label>" for kind in judging.per_class}
    for key, name in named_metrics(settings):
        if metric_entry(judging, name) is None:
            nearest = difflib.get_close_matches(name, [*judging.metrics, *patterns], n=1)
            hint = f"; did you mean {patterns.get(nearest[0], nearest[0])}?" if nearest else "."
            valid = ", ".join([*judging.metrics, *patterns.values()])
            yield f'Unknown metric "{key}" for task {task}{hint} Valid metrics: {valid}.'


def named_metrics(settings: EvaluationSettings) -> list[tuple[str, str]]:
    """Each metric that the settings name, behind its key, such as `evaluation.thresholds.accuracy`."""
    keys = [(f"evaluation.{section}.{name}", name) for section in _BOUNDS for name in getattr(settings, section)]
    tested = settings.against_baseline
    return [*keys, (f"evaluation.against_baseline.metric: {tested.metric}", tested.metric)] if tested else keys


def impossible_bounds(task: str, settings: EvaluationSettings) -> Iterator[str]:
    """One sentence for each bound outside of the values that its metric can have; names that are unknown are left."""
    judging = judging_of(task)
    for name, bound in settings.thresholds.items():
        if entry := metric_entry(judging, name):
            for end in ("min", "max"):
                value = getattr(bound, end)
                if value is not None and not _within(value, entry):
                    yield _impossible(f"evaluation.thresholds.{name}.{end}", value, name, entry)
    worse_by = {f"evaluation.max_regression.{name}": (name, worse) for name, worse in settings.max_regression.items()}
    if tested := settings.against_baseline:
        worse_by["evaluation.against_baseline.worse_by"] = (tested.metric, tested.worse_by)
    for key, (name, worse) in worse_by.items():
        entry = metric_entry(judging, name)
        if entry and entry.greatest is not None and worse > entry.greatest - (entry.least or 0.0):
            yield _impossible(key, worse, name, entry)


def _within(value: float, entry: MetricEntry) -> bool:
    return (entry.least is None or value >= entry.least) and (entry.greatest is None or value <= entry.greatest)


def _impossible(key: str, value: float, name: str, entry: MetricEntry) -> str:
    ends = [f"{word} {end:g}" for word, end in (("from", entry.least), ("to", entry.greatest)) if end is not None]
    percent = entry.greatest == 1.0 and 1.0 < value <= 100.0
    hint = f". As a share, {value:g} percent is {value / 100:g}" if percent else ""
    return f"{key} must be a value that {name} can have: {' '.join(ends)}. Received: {value:g}{hint}"


def judged_labels(task: str, settings: EvaluationSettings) -> dict[str, str]:
    """Each key of the settings that is about one label, such as `evaluation.thresholds.f1/pos`, with that label."""
    per_class = judging_of(task).per_class
    return {
        key: label
        for key, name in named_metrics(settings)
        for kind, _, label in [name.partition("/")]
        if label and kind in per_class
    }


def unknown_labels(judged: Mapping[str, str], labels: Collection[str]) -> list[str]:
    """One sentence for each key, from `judged_labels`, whose label is not among those of the train split."""
    return [
        f'{key} is about label "{label}", which no record of train has. Labels there: {quoted(sorted(labels))}.'
        f"{did_you_mean(label, labels)} Correct it, or remove it."
        for key, label in judged.items()
        if label not in labels
    ]
