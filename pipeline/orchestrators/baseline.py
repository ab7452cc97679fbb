"""Which model a new one is compared with.

TFX's LatestBlessedModelStrategy would pick the very model under evaluation when a run is repeated. The model would be
compared with itself, evaluated again (its inputs have changed) and pushed a second time.
"""

import json
from pathlib import Path

import ml_metadata
from tfx.components.evaluator import constants
from tfx.dsl.components.common import resolver
from tfx.types import artifact

Artifacts = dict[str, list[artifact.Artifact]]


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
            if model.id in blessings and model.id not in candidates and _exported_task(Path(model.uri)) == self._task:
                return {**input_dict, "model": [model], "model_blessing": [blessings[model.id]]}
        return {**input_dict, "model": [], "model_blessing": []}


def _exported_task(model: Path) -> str | None:
    description = model / "Format-Serving" / "assets.extra" / "seqline.json"
    try:
        return json.loads(description.read_text(encoding="utf-8"))["task"]
    except (OSError, ValueError, KeyError):
        return None
