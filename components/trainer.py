"""Trainer: TFX's own, with what other runs have made as more inputs, and with what a person should hear of it.

TFX's `base_model` takes one whole model, and no file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.trainer import executor as tfx_trainer
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts
from tfx.types.artifact_utils import get_single_instance, get_single_uri
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_component_specs import CUSTOM_CONFIG_KEY, MODEL_RUN_KEY
from tfx.types.standard_component_specs import TrainerSpec as TfxTrainerSpec
from tfx.utils import json_utils

from components.artifacts import PushedOtherModel
from components.findings import Findings
from components.paths import local_copy
from models.training import FROM_OTHER_RUNS
from models.training_curves import FILE


class TrainerSpec(TfxTrainerSpec):
    """TFX's specification and what other runs have made."""

    INPUTS = {
        **TfxTrainerSpec.INPUTS,
        **{name: ChannelParameter(type=PushedOtherModel, optional=True) for name in FROM_OTHER_RUNS},
    }


class Executor(tfx_trainer.GenericExecutor):
    """TFX's executor; hands the paths of what other runs have made to `run_fn`.

    What `run_fn` finds lies in a file of the artifact, which the history of runs does not open.
    """

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains, then keeps the warnings; arguments as of TFX's Trainer, with what other runs made."""
        inputs = dict(input_dict)
        given = {name: artifacts for name in FROM_OTHER_RUNS if (artifacts := inputs.pop(name, []))}
        if given:
            paths = {name: get_single_uri(artifacts) for name, artifacts in given.items()}
            config = json_utils.loads(exec_properties[CUSTOM_CONFIG_KEY]) | paths
            exec_properties = {**exec_properties, CUSTOM_CONFIG_KEY: json_utils.dumps(config)}
        super().Do(inputs, output_dict, exec_properties)
        model_run = get_single_instance(output_dict[MODEL_RUN_KEY])
        with local_copy(model_run.uri) as folder:
            findings(folder).keep(model_run, told=True)


def findings(model_run: Path) -> Findings:
    """What is told of a training: texts that were too long, and steps that were no numbers."""
    told = json.loads((model_run / FILE).read_text(encoding="utf-8"))
    diverged = [f"the training diverged: {one['what']} ({one['action']})" for one in told["divergences"]]
    return Findings(page=FILE, warnings=[*told["too_long"], *diverged])


class Trainer(base_component.BaseComponent):
    """Trains on the train split, validates on the eval split."""

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        schema: types.BaseChannel,
        custom_config: dict[str, Any],
        from_other_runs: Mapping[str, types.BaseChannel],
    ) -> None:
        """Wires the component.

        Args:
            examples: transformed.
            transform_graph: that made them, with the vocabularies.
            schema: of the raw examples.
            custom_config: what `models.training.run_fn` reads.
            from_other_runs: of `FROM_OTHER_RUNS` those that there are: `other_vectors`, a model, or a file, with whose
                vectors of words the tokens begin; `start`, what a run has left whose encoder the model begins with.
        """
        spec = TrainerSpec(
            examples=examples,
            transform_graph=transform_graph,
            schema=schema,
            run_fn="models.training.run_fn",
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
            custom_config=json_utils.dumps(custom_config),
            model=types.Channel(type=standard_artifacts.Model),
            model_run=types.Channel(type=standard_artifacts.ModelRun),
            **from_other_runs,
        )
        super().__init__(spec=spec)
