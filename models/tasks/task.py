"""What a task is, without TensorFlow: its name, its raw features, and where its code stands."""

import dataclasses
import importlib
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Feature:
    """A raw feature: one UTF-8 string an example.

    Attributes:
        name: key in the raw tf.Example and in `data.columns`.
        kind: "text" is tokenized; "label" is one of a closed set.
    """

    name: str
    kind: Literal["text", "label"]


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
    def label_feature(self) -> str | None:
        """Name of the label feature, if the task has one."""
        return next((feature.name for feature in self.features if feature.kind == "label"), None)

    def load(self) -> Any:
        """Imports the implementing module (and with it TensorFlow)."""
        return importlib.import_module(self.module)

    def preprocess(self, inputs: dict[str, Any], vocabularies: Any) -> dict[str, Any]:
        """Turns raw features, string (B, 1), into what training reads; see the implementing module."""
        return self.load().preprocess(inputs, vocabularies)
