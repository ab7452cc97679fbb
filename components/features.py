"""The features of a task as an argument of a stage: the cache sees arguments, not the table of tasks."""

import dataclasses
import json
from collections.abc import Sequence

from models.features import Feature


def features_json(features: Sequence[Feature]) -> str:
    """Writes features as JSON, in their order."""
    return json.dumps([dataclasses.asdict(feature) for feature in features])


def features_of(text: str) -> tuple[Feature, ...]:
    """Reads what `features_json` wrote."""
    return tuple(Feature(**feature) for feature in json.loads(text))
