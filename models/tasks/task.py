"""What a task is, without TensorFlow: its name, its raw features, and where its code stands."""

import dataclasses
import importlib
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Feature:
    """A raw feature of an example.

    Attributes:
        name: key in the raw tf.Example and in `data.columns`.
        kind: "text" is one UTF-8 string that is tokenized; "label" one of a closed set; "audio" samples in [-1, 1].
        optional: data may do without it; every example then has an empty string in its place.
    """

    name: str
    kind: Literal["text", "label", "audio"]
    optional: bool = False


@dataclasses.dataclass(frozen=True)
class Task:
    """A sequence problem.

    Attributes:
        name: value of `task` in the configuration.
        features: raw features, inputs first.
        module: dotted name of the module that implements it, with the names of `models/tasks/text_classification.py`.
    """

    name: str
    features: tuple[Feature, ...]
    module: str

    @property
    def text_features(self) -> tuple[str, ...]:
        """Names of the features that are tokenized."""
        return tuple(feature.name for feature in self.features if feature.kind == "text")

    @property
    def label_features(self) -> tuple[str, ...]:
        """Names of the features that are one of a closed set."""
        return tuple(feature.name for feature in self.features if feature.kind == "label")

    def load(self) -> Any:
        """Imports the implementing module (and with it TensorFlow)."""
        return importlib.import_module(self.module)

    def preprocess(self, inputs: dict[str, Any], vocabularies: Any) -> dict[str, Any]:
        """Turns raw features, string (B, 1), into what training reads; see the implementing module."""
        return self.load().preprocess(inputs, vocabularies)
