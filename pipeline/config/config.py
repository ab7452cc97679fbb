"""The configuration of a run: one YAML file and overrides, checked once, then passed on as an object.

Each section is declared beside the code that uses it; this file puts them together and checks what concerns several.
"""

import copy
import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic
from pydantic.fields import FieldInfo

from components.evaluation.settings import EvaluationSettings
from components.example_gen.gate_settings import GateSettings
from components.example_gen.settings import DataSettings
from components.review.settings import (
    ClipReviewSettings,
    MaskedTextReviewSettings,
    TaggedTextReviewSettings,
    TextReviewSettings,
    VectorReviewSettings,
)
from models.features import Feature
from models.registry import TASKS
from models.run_settings import RunSettings
from models.settings import a_path, only_for
from pipeline.config.errors import Problem, describe, in_file_order, sentence
from pipeline.config.paths import expand_paths, section_classes
from pipeline.config.rules import broken_rules
from pipeline.config.uses import unused_keys
from pipeline.config.yaml_file import parse, read_yaml
from pipeline.deploy.settings import OrchestrationSettings
from pipeline.drift.settings import DriftSettings
from pipeline.errors import ConfigError
from pipeline.report.settings import CardSettings
from serving.settings import ServingSettings


class Config(RunSettings):
    """What to train, on which data, and how to evaluate and serve it."""

    task: Literal[tuple(TASKS)]  # type: ignore[valid-type]
    """What the sequence problem is: which raw features go in and what comes out."""
    output_dir: str = pydantic.Field("outputs", min_length=1, json_schema_extra=a_path())
    """Folder for all that a run makes: artifacts, metadata, logs, checkpoints, pushed versions."""
    data: DataSettings
    """Where the raw examples come from. `docs/data.md` tells, with examples, what of each format is read, refused and
    passed over."""
    evaluation: EvaluationSettings = EvaluationSettings()
    """How good a model must be to be pushed."""
    clips: ClipReviewSettings = pydantic.Field(ClipReviewSettings(), json_schema_extra=only_for("clips"))
    """Clips that the trained model generates for people to hear, and who judges them."""
    texts: TextReviewSettings = pydantic.Field(TextReviewSettings(), json_schema_extra=only_for("texts"))
    """Texts that the trained model writes for people to read, beside held-out ones."""
    vectors: VectorReviewSettings = pydantic.Field(VectorReviewSettings(), json_schema_extra=only_for("vectors"))
    """What is shown of vectors of words, and the analogies by which they are judged."""
    tagged_texts: TaggedTextReviewSettings = pydantic.Field(
        TaggedTextReviewSettings(), json_schema_extra=only_for("tagged_texts")
    )
    """Held-out texts with the tags of the trained model beside the right ones, for people to look at."""
    masked_texts: MaskedTextReviewSettings = pydantic.Field(
        MaskedTextReviewSettings(), json_schema_extra=only_for("masked_texts")
    )
    """Held-out texts with hidden pieces, coloured by how probable the trained model finds them."""
    card: CardSettings = CardSettings()
    """What the model card says besides what a run knows (Mitchell et al., 2019)."""
    drift: DriftSettings = DriftSettings()
    """How far what the served model is asked may move away from what it was trained on, for `seqline drift`."""
    serving: ServingSettings = ServingSettings()
    """The server's address and batching."""
    orchestration: OrchestrationSettings = OrchestrationSettings()
    """When an orchestrator runs the line, and how; `seqline deploy` hands it over."""

    @pydantic.field_validator("*", mode="wrap")
    @classmethod
    def _keep_what_is_valid(
        cls, value: Any, handler: pydantic.ValidatorFunctionWrapHandler, info: pydantic.ValidationInfo
    ) -> Any:
        """Writes into the context, if there is one, what is valid, so that `load` can tell the other mistakes in it."""
        valid = handler(value)
        if info.context is not None:
            info.context[info.field_name] = valid
        return valid

    def run_settings(self) -> RunSettings:
        """The part that the Trainer needs."""
        return RunSettings(**{field: getattr(self, field) for field in RunSettings.model_fields})

    @property
    def features(self) -> tuple[Feature, ...]:
        """The raw features of an example: those of the task, and what its figures are told apart by."""
        return (*TASKS[self.task].features, *self.evaluation.sliced_features)

    def fingerprint(self) -> str:
        """A short name for this very configuration."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration.

    Args:
        path: the YAML file.
        overrides: `section.key=value` each, the value in YAML; the last one wins.

    Raises:
        ConfigError: with one line for every rule that is broken.
    """
    file = read_yaml(path)
    values = copy.deepcopy(file.values)
    _leave_out_empty(Config.model_fields, values)
    places = dict(file.places)
    for override in overrides:
        key, value = _parse_override(override)
        _assign(values, key, value)
        places.pop(key, None)  # so that overrides come last
        places[key] = f"--set {override}"
        parts = key.split(".")
        for length in range(1, len(parts)):
            places.setdefault(".".join(parts[:length]), f"--set {override}")
    _leave_out_empty(Config.model_fields, values)
    valid: dict[str, Any] = {}
    problems: list[Problem] = [sentence(text) for text in expand_paths(Config.model_fields, values)]
    try:
        config = Config.model_validate(values, context=valid)
    except pydantic.ValidationError as error:
        problems += describe(error, Config, values)
    problems += map(sentence, [*unused_keys(Config.model_fields, values, valid), *broken_rules(valid)])
    if problems:
        raise ConfigError("\n".join(in_file_order(problems, places)))
    return config


def approvals(rules: Sequence[str]) -> list[str]:
    """The overrides that let records pass which break these rules of `data.gate`; they stand in the history.

    Raises:
        ConfigError: there is no such rule.
    """
    valid = [name for name, field in GateSettings.model_fields.items() if field.default == "warn"]
    for rule in rules:
        if rule not in valid:
            raise ConfigError(f"--approve must name a rule of data.gate: {', '.join(valid)}. Received: {rule}")
    return [f"data.gate.{rule}=warn" for rule in rules]


def _leave_out_empty(fields: Mapping[str, FieldInfo], values: dict[str, Any]) -> None:
    """Takes out each section, list and mapping that is empty, as where all below it is commented out: its default."""
    for name, field in fields.items():
        if name in values and values[name] is None and _has_parts(field.annotation):
            del values[name]
        elif isinstance(values.get(name), dict):
            for section in section_classes(field, values[name]):
                _leave_out_empty(section.model_fields, values[name])


def _has_parts(annotation: Any) -> bool:
    members = typing.get_args(annotation)
    if type(None) in members:
        return False
    origin = typing.get_origin(annotation) or annotation
    if origin in (typing.Union, types.UnionType):
        return any(map(_has_parts, members))
    return origin in (dict, list, tuple) or hasattr(origin, "model_fields")


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"--set {override}: must read section.key=value, for example --set training.batch_size=32")
    try:
        return key, parse(text, f"--set {override}", {}) if text else ""
    except ConfigError as error:
        if "not valid YAML" not in str(error):
            raise
        raise ConfigError(
            f"--set {override}: the value is not valid YAML; put it in quotes: --set '{key}=\"...\"'"
        ) from None


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for depth, section in enumerate(sections, start=1):
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {key}: {'.'.join(sections[:depth])} is not a section but a value")
    values[last] = value
