"""The configuration of a run: one YAML file and overrides, checked once, then passed on as an object.

Each section is declared beside the code that uses it; this file puts them together and checks what concerns several.
"""

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic
import yaml

from components.evaluation.settings import EvaluationSettings
from components.example_gen.settings import DataSettings
from components.review.settings import ClipReviewSettings
from models.audio_settings import AudioSettings
from models.decoding.settings import DecodingSettings
from models.registry import TASKS
from models.run_settings import ModelSettings, RunSettings
from models.settings import Settings
from models.tokenizers.settings import TokenizerSettings
from models.training_settings import TrainingSettings
from pipeline.config.errors import describe
from pipeline.config.rules import RULES
from pipeline.config.yaml_file import read_yaml
from pipeline.errors import ConfigError
from serving.settings import ServingSettings


class Config(Settings):
    """What to train, on which data, and how to evaluate and serve it."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=63)
    """Name of the model: clients ask for it, and pushed versions stand under it. Lower-case letters, digits, _, -."""
    task: Literal[tuple(TASKS)]  # type: ignore[valid-type]
    """What the sequence problem is: which raw features go in and what comes out."""
    output_dir: str = pydantic.Field("outputs", min_length=1)
    """Folder for all that a run makes: artifacts, metadata, logs, checkpoints, pushed versions."""
    seed: int = pydantic.Field(1, ge=0, lt=2**31)
    """Seed of all that is random in training."""
    data: DataSettings
    """Where the raw examples come from."""
    audio: AudioSettings = AudioSettings()
    """The form that recordings are brought to (audio tasks only)."""
    tokenizer: TokenizerSettings = TokenizerSettings()
    """How text is cut into units (text tasks only)."""
    model: ModelSettings
    """What computes the answer; `architecture` decides which other keys there are."""
    training: TrainingSettings = TrainingSettings()
    """How the model is trained."""
    decoding: DecodingSettings = DecodingSettings()
    """How text is generated (task text_to_text only)."""
    evaluation: EvaluationSettings = EvaluationSettings()
    """How good a model must be to be pushed."""
    clips: ClipReviewSettings = ClipReviewSettings()
    """Clips that the trained model generates for people to hear, and who judges them (task audio_generation only)."""
    serving: ServingSettings = ServingSettings()
    """The server's address and batching."""

    @pydantic.model_validator(mode="after")
    def _check_across_sections(self) -> "Config":
        problems = [problem for rule in RULES for problem in rule(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def run_settings(self) -> RunSettings:
        """The part that the Trainer needs."""
        return RunSettings(**{field: getattr(self, field) for field in RunSettings.model_fields})

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
    places = dict(file.places)
    for override in overrides:
        key, value = _parse_override(override)
        _assign(values, key, value)
        places[key] = f"--set {override}"
        parts = key.split(".")
        for length in range(1, len(parts)):
            places.setdefault(".".join(parts[:length]), f"--set {override}")
    try:
        return Config.model_validate(values)
    except pydantic.ValidationError as error:
        raise ConfigError("\n".join(describe(error, Config, values, places))) from None


def schema_text() -> str:
    """The JSON schema of a configuration file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
    return json.dumps({**schema, "title": "Seqline configuration"}, indent=2, ensure_ascii=False) + "\n"


def _parse_override(override: str) -> tuple[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not all(key.split(".")):
        raise ConfigError(f"--set {override}: must read section.key=value, for example --set training.batch_size=32")
    try:
        return key, yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
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
