"""Brings another run's model into a pipeline, as an input with lineage in ML Metadata."""

from tfx import v1 as tfx

from components.artifacts import PushedOtherModel
from components.other_models import OtherModel


def other_model(model: OtherModel, stage: str) -> tfx.dsl.Importer:
    """A node whose output `result` is the model.

    Args:
        model: a version of what another run pushed.
        stage: id of the node.
    """
    described = model.description
    return tfx.dsl.Importer(
        source_uri=str(model.folder),
        artifact_type=PushedOtherModel,
        # Other files under the same path are another artifact, which the cache of what reads it notices.
        custom_properties={"fingerprint": model.fingerprint, "name": described.name, "task": described.task},
        reimport=False,
    ).with_id(stage)
