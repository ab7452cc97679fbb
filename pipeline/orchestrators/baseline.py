"""Which model a new one is compared with.

TFX's LatestBlessedModelStrategy would pick the very model under evaluation when a run is repeated. The model would be
compared with itself, evaluated again (its inputs have changed) and pushed a second time.
"""

from collections.abc import Callable

import ml_metadata
from tfx import v1 as tfx
from tfx.components.evaluator import constants
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.types import artifact

from models.description import FILE, ModelDescription

Artifacts = dict[str, list[artifact.Artifact]]
# Task and Trainer to the resolver whose output `model` the new model is compared with.
Baseline = Callable[[str, BaseNode], resolver.Resolver]
ID = "LatestBlessedModel"


def previous_blessed_model(task: str, trainer: BaseNode) -> resolver.Resolver:
    """The newest blessed model but the one that the trainer has made."""
    return tfx.dsl.Resolver(
        strategy_class=PreviousBlessedModel,
        config={"task": task},
        candidate=trainer.outputs["model"],
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id(ID)


def latest_blessed_model(task: str, trainer: BaseNode) -> resolver.Resolver:
    """TFX's own choice, for the compilers of orchestrators that know no other: Kubeflow Pipelines."""
    return tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id(ID)


class PreviousBlessedModel(resolver.ResolverStrategy):
    """Picks the newest blessed model that is not the candidate, is still on disk and solves the same task."""

    def __init__(self, task: str) -> None:
        self._task = task

    def resolve_artifacts(self, store: ml_metadata.MetadataStore, input_dict: Artifacts) -> Artifacts:
        """Resolves `model` and `model_blessing` to one artifact each, or to none; `candidate` stays as it is."""
        candidates = {model.id for model in input_dict["candidate"]}
        # One model may have several verdicts: the evaluator's, then that of the clip review, which counts both.
        verdicts = {
            blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): blessing
            for blessing in sorted(input_dict["model_blessing"], key=lambda blessing: blessing.id)
        }
        blessings = {
            model: blessing
            for model, blessing in verdicts.items()
            if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == 1
        }
        for model in sorted(input_dict["model"], key=lambda model: model.id, reverse=True):
            if model.id in blessings and model.id not in candidates and _exported_task(model.uri) == self._task:
                return {**input_dict, "model": [model], "model_blessing": [blessings[model.id]]}
        return {**input_dict, "model": [], "model_blessing": []}


def _exported_task(model: str) -> str | None:
    description = f"{model}/Format-Serving/{FILE}"
    if not fileio.exists(description):
        return None
    try:
        with fileio.open(description) as stream:
            return ModelDescription.model_validate_json(stream.read()).task
    except (OSError, ValueError):
        return None
