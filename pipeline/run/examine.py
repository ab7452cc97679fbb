"""What `seqline validate` says of the data: read for some seconds, judged as a run would judge them."""

import dataclasses
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from models.features import learned_features
from models.registry import TASKS
from pipeline.config.config import Config
from pipeline.run.log import output_to

if TYPE_CHECKING:
    from components.example_gen.examination import Examination
    from models.too_long import Limit


_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Examined:
    """What was found.

    Attributes:
        read: what was read, a line each.
        warnings: what a person would want to hear, and what stops nothing, one sentence each.
    """

    read: list[str]
    warnings: list[str]


def examine_data(config: Config, seconds: float) -> Examined:
    """Reads the data until they or the time end.

    Args:
        config: what would be run; `check_inputs` has found nothing.
        seconds: time to read.

    Raises:
        DataError: what would stop a run before its training, in the words of the stage that would stop it.
    """
    from components.example_gen.examination import examine, judged
    from components.example_gen.formats import sections_for
    from components.example_gen.input_files import input_files

    sections = {name: getattr(config, name) for name in sections_for(config.features)}
    passed = Counter[str]()
    files = input_files(config.data, config.features, passed)
    found = examine(files, config.features, config.data, sections, seconds)
    warnings = judged(found, config.features, config.data)
    warnings += _labels_of_thresholds(config, found)
    if any(found.texts.values()):
        # TensorFlow talks when it is imported.
        with tempfile.TemporaryDirectory(prefix="seqline-validate-") as scratch, output_to(Path(scratch) / "log"):
            from components.sample_tokens import examine_tokens

            warnings += examine_tokens(found.texts, config.tokenizer, _limits(config), found.whole and found.all_texts)
    return Examined(_read_lines(config, found, passed), warnings)


def _limits(config: Config) -> "list[Limit]":
    from models.too_long import limits_of

    task, run = TASKS[config.task], config.run_settings()
    # Texts in order are one stream, of which nothing is cut.
    return limits_of(task, run, **config.data.actions_on_too_long) if task.code().cuts_texts(run) else []


def _labels_of_thresholds(config: Config, found: "Examination") -> list[str]:
    from components.errors import DataError
    from components.evaluation.catalogue import judged_labels, unknown_labels
    from components.example_gen.report import classes_of

    labels = set(classes_of(found.reports, "train", TASKS[config.task].features)) - {""}
    unknown = unknown_labels(judged_labels(config.task, config.evaluation), labels)
    if unknown and found.whole:
        raise DataError("\n".join(unknown))
    return [f"So far: {sentence}" for sentence in unknown]


def _read_lines(config: Config, found: "Examination", passed: Counter[str]) -> list[str]:
    how_much = "all data read" if found.whole else "the data read in part, for want of time (--seconds)"
    lines = [f"{how_much}: {sum(report.read for report in found.reports)} records"]
    for split in config.data.splits():
        kept = sum(report.kept[split] for report in found.reports)
        labels = [f", {name}: {_some(found.labels(split, name))}" for name in _label_features(config)]
        lines.append(f"  {split:<6} {kept} records{''.join(labels)}")
    passed_over = sum((report.passed for report in found.reports), passed)
    if passed_over:
        lines.append(f"  passed over: {', '.join(f'{count} {name}' for name, count in passed_over.items())}")
    aside = sum((report.set_aside for report in found.reports), Counter())
    lines += [f"  {count} records would be set aside (data.gate.{rule})" for rule, count in aside.items()]
    refused = sum(report.refused for report in found.reports)
    if refused:
        lines.append(f"  {refused} records would be left out:")
        lines += [f"    {record}" for record in found.refused[:10]]
    return lines


def _label_features(config: Config) -> tuple[str, ...]:
    return learned_features(TASKS[config.task].features, "categories")


def _some(labels: list[str]) -> str:
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return (", ".join(labels[:_SHOWN]) or "none") + more
