"""Transform: TFX's own, with the learned vocabulary as one more input, which TFX's has no channel for."""

import os
from typing import Any

from tfx import types
from tfx.components.transform import executor as tfx_transform
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.dsl.io import fileio
from tfx.proto import transform_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import get_single_uri
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_component_specs import (
    CUSTOM_CONFIG_KEY,
    TRANSFORM_GRAPH_KEY,
)
from tfx.types.standard_component_specs import TransformSpec as TfxTransformSpec
from tfx.utils import json_utils

from components.artifacts import Vocabulary
from components.preprocessing import VOCABULARY_KEY

VOCABULARIES_FOLDER = "vocabularies"


class TransformSpec(TfxTransformSpec):
    """TFX's specification and the vocabulary."""

    INPUTS = {**TfxTransformSpec.INPUTS, VOCABULARY_KEY: ChannelParameter(type=Vocabulary)}


class Executor(tfx_transform.Executor):
    """TFX's executor; hands the vocabulary's folder to `preprocessing_fn` and keeps a copy beside the graph."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Transforms the train and eval splits.

        Args:
            input_dict: what TFX's Transform takes, and `vocabulary`.
            output_dict: as TFX's Transform; `transform_graph` also gets the folder `vocabularies`, so that whoever
                has the graph has the pieces that belong to its token ids.
            exec_properties: as TFX's Transform.
        """
        inputs = dict(input_dict)
        vocabulary = get_single_uri(inputs.pop(VOCABULARY_KEY))
        custom_config = {**json_utils.loads(exec_properties[CUSTOM_CONFIG_KEY]), VOCABULARY_KEY: vocabulary}
        super().Do(inputs, output_dict, {**exec_properties, CUSTOM_CONFIG_KEY: json_utils.dumps(custom_config)})
        _copy_files(vocabulary, os.path.join(get_single_uri(output_dict[TRANSFORM_GRAPH_KEY]), VOCABULARIES_FOLDER))


def _copy_files(source: str, destination: str) -> None:
    fileio.makedirs(destination)
    for name in fileio.listdir(source):
        fileio.copy(os.path.join(source, name), os.path.join(destination, name))


class Transform(base_beam_component.BaseBeamComponent):
    """Writes token ids per split, and the graph that made them."""

    SPEC_CLASS = TransformSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        vocabulary: types.BaseChannel,
        task: str,
    ) -> None:
        """Wires the component.

        Args:
            examples: raw examples.
            schema: their schema.
            vocabulary: output of TokenizerTrainer.
            task: name of the task.
        """
        transformed_examples = types.Channel(type=standard_artifacts.Examples)
        transformed_examples.matching_channel_name = "examples"
        spec = TransformSpec(
            examples=examples,
            schema=schema,
            vocabulary=vocabulary,
            preprocessing_fn="components.preprocessing.preprocessing_fn",
            # The test split stays raw: it is judged through the exported model, which takes raw text.
            splits_config=transform_pb2.SplitsConfig(analyze=["train"], transform=["train", "eval"]),
            custom_config=json_utils.dumps({"task": task}),
            # TFDV's statistics of token ids say nothing that those of the raw text do not, and take as long.
            disable_statistics=1,
            force_tf_compat_v1=0,
            transform_graph=types.Channel(type=standard_artifacts.TransformGraph),
            transformed_examples=transformed_examples,
        )
        super().__init__(spec=spec)
