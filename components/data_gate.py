"""DataGate: TFX's ExampleValidator only reports anomalies; this one stops the run on them, in plain words."""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tensorflow_data_validation.utils.anomalies_util import load_anomalies_binary
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies, AnomalyInfo
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types.artifact_utils import get_split_uri
from tfx.types.standard_artifacts import ExampleAnomalies, Examples, ExampleStatistics

from components.artifacts import DataReport
from components.errors import DataError
from components.evaluation.catalogue import unknown_labels
from components.example_gen.executor import COUNTS_FILE
from components.example_gen.settings import DataSettings
from components.features import features_of
from components.findings import Findings
from models.features import Feature

REPORT_FILE = "report.json"

_SMALL_SPLIT = 100

# SchemaGen takes the texts of a small train split for a closed set of values, so every new text looks unexpected.
_NEW_VALUES = frozenset({AnomalyInfo.ENUM_TYPE_UNEXPECTED_STRING_VALUES})
# It takes texts that are all numbers for numbers; a text is a text, whatever it looks like, and so is a label.
_NO_NUMBERS = frozenset(
    kind for name, kind in AnomalyInfo.Type.items() if name.startswith(("INT_TYPE_", "FLOAT_TYPE_", "BOOL_TYPE_"))
)
# Where all recordings of the train split have one length, it takes that for a rule.
_OTHER_LENGTHS = frozenset(
    {
        AnomalyInfo.INVALID_FEATURE_SHAPE,
        AnomalyInfo.FEATURE_TYPE_LOW_NUMBER_VALUES,
        AnomalyInfo.FEATURE_TYPE_HIGH_NUMBER_VALUES,
    }
)


@dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Attributes:
        splits: the splits that the settings ask for.
        features: the task's.
        anomalies: per split, what ExampleValidator found.
        sizes: number of examples per split, by StatisticsGen.
        labels: of train.
        judged_labels: by a metric of the thresholds, the label that it is about.
    """

    splits: Sequence[str]
    features: Sequence[Feature]
    anomalies: Mapping[str, Anomalies]
    sizes: Mapping[str, int]
    labels: Sequence[str] = ()
    judged_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    Attributes:
        name: key in the report.
        level: what a finding does: `fail` stops the run, `warn` is logged.
        find: returns one sentence per finding.
    """

    name: str
    level: Literal["fail", "warn"]
    find: Callable[[Evidence], list[str]]


def find_missing_splits(evidence: Evidence) -> list[str]:
    """A split of the settings that was not validated."""
    return [
        f"{split}: the split was not validated. Let ExampleValidator look at every split."
        for split in evidence.splits
        if split not in evidence.anomalies or split not in evidence.sizes
    ]


def find_schema_errors(evidence: Evidence) -> list[str]:
    """What ExampleValidator calls an error."""
    return _anomalies(evidence, lambda severity: severity != AnomalyInfo.WARNING)


def find_schema_warnings(evidence: Evidence) -> list[str]:
    """What ExampleValidator calls a warning."""
    return _anomalies(evidence, lambda severity: severity == AnomalyInfo.WARNING)


def find_small_splits(evidence: Evidence) -> list[str]:
    """A split too small for figures to mean much."""
    return [
        f"{split}: only {size} examples; figures from fewer than {_SMALL_SPLIT} vary by chance: a share measured on "
        f"them, such as accuracy, may be off by {_error(size):.0%} to either side (95 % interval at a share of a half)."
        for split, size in evidence.sizes.items()
        if 0 < size < _SMALL_SPLIT
    ]


def _error(size: int) -> float:
    """Half of the 95 % interval of a share of 0.5, by the normal approximation, at most 0.5."""
    return min(0.5, 1.96 * math.sqrt(0.25 / size))


def find_unknown_labels(evidence: Evidence) -> list[str]:
    """A threshold for a label that no model can give."""
    return unknown_labels(evidence.judged_labels, evidence.labels)


RULES: tuple[Rule, ...] = (
    Rule("every_split_validated", "fail", find_missing_splits),
    Rule("schema_errors", "fail", find_schema_errors),
    Rule("schema_warnings", "warn", find_schema_warnings),
    Rule("split_size", "warn", find_small_splits),
    Rule("judged_labels_exist", "fail", find_unknown_labels),
)


def harmless_anomalies(feature: Feature) -> frozenset[int]:
    """Types of anomalies that mean nothing for features of this kind."""
    new_values = _NEW_VALUES if feature.facts.learned != "categories" else frozenset()
    no_numbers = _NO_NUMBERS if feature.facts.stored == "bytes" else frozenset()
    return new_values | no_numbers | (_OTHER_LENGTHS if feature.facts.many else frozenset())


def _anomalies(evidence: Evidence, wanted: Callable[[int], bool]) -> list[str]:
    harmless = {feature.name: harmless_anomalies(feature) for feature in evidence.features}
    found = []
    for split, anomalies in evidence.anomalies.items():
        for name, info in sorted(anomalies.anomaly_info.items()):
            reasons = [reason for reason in info.reason if reason.type not in harmless.get(name, ())]
            if wanted(info.severity):
                found += [
                    f'{split}: feature "{name}": {_sentence(reason.short_description)}{reason.description}'
                    for reason in reasons
                ]
        if anomalies.HasField("dataset_anomaly_info") and wanted(anomalies.dataset_anomaly_info.severity):
            found.append(f"{split}: {anomalies.dataset_anomaly_info.description}")
        if anomalies.data_missing and wanted(AnomalyInfo.ERROR):
            found.append(f"{split}: there are no examples.")
    return found


def _sentence(text: str) -> str:
    return f"{text.rstrip('. ')}. " if text else ""


def inspect(evidence: Evidence, rules: Sequence[Rule] = RULES) -> dict[str, Any]:
    """Applies the rules.

    Returns:
        The report: examples per split, and each rule with its level and findings.

    Raises:
        DataError: listing every finding of the rules of level `fail`.
    """
    findings = {rule.name: rule.find(evidence) for rule in rules}
    failures = [finding for rule in rules if rule.level == "fail" for finding in findings[rule.name]]
    if failures:
        raise DataError(
            "The data do not fit the schema that was learned from the train split:\n"
            + "\n".join(f"  {failure}" for failure in failures)
            + "\n  Correct the data, or divide them so that train and eval are of one kind."
        )
    return {
        "examples": dict(evidence.sizes),
        "rules": [{"name": rule.name, "level": rule.level, "findings": findings[rule.name]} for rule in rules],
    }


@component
def DataGate(  # noqa: N802
    anomalies: InputArtifact[ExampleAnomalies],
    statistics: InputArtifact[ExampleStatistics],
    report: OutputArtifact[DataReport],
    features: Parameter[str],
    settings_json: Parameter[str],
    examples: InputArtifact[Examples],
    judged_labels: Parameter[str] = "{}",
) -> None:
    """Lets the data pass, with a report, or stops the run.

    Args:
        anomalies: of every split, from ExampleValidator.
        statistics: of every split, from StatisticsGen.
        report: `report.json`.
        features: the task's, from `features_json`.
        settings_json: `DataSettings` as JSON.
        examples: raw; `counts.json` beside them has the labels.
        judged_labels: what `judged_labels` of the metrics' catalogue gives, as JSON.
    """
    with fileio.open(os.path.join(examples.uri, COUNTS_FILE)) as stream:
        labels = json.loads(stream.read())["labels"]["train"]
    evidence = Evidence(
        splits=DataSettings.model_validate_json(settings_json).splits(),
        features=features_of(features),
        anomalies={
            split: load_anomalies_binary(os.path.join(get_split_uri([anomalies], split), DEFAULT_FILE_NAME))
            for split in anomalies.splits
        },
        sizes={
            split: load_statistics(statistics, split).proto().datasets[0].num_examples for split in statistics.splits
        },
        labels=labels,
        judged_labels=json.loads(judged_labels),
    )
    found = inspect(evidence)
    content = json.dumps(found, ensure_ascii=False, indent=1)
    with fileio.open(os.path.join(report.uri, REPORT_FILE), "w") as stream:
        stream.write(content)
    warnings = [sentence for rule in found["rules"] if rule["level"] == "warn" for sentence in rule["findings"]]
    Findings(page=None, warnings=warnings).keep(report)
