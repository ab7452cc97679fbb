"""TFX's Trainer, which also keeps with its artifact what a person should hear of the training."""

import json
from pathlib import Path
from typing import Any

from tfx import v1 as tfx
from tfx.components.trainer import executor as tfx_executor
from tfx.dsl.components.base import executor_spec
from tfx.types import artifact_utils

from components.findings import Findings
from components.paths import local_copy
from models.training_curves import FILE


class Executor(tfx_executor.GenericExecutor):
    """TFX's executor. What `run_fn` finds lies in a file of the artifact, which the history of runs does not open."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Trains the model, then keeps the warnings."""
        super().Do(input_dict, output_dict, exec_properties)
        model_run = artifact_utils.get_single_instance(output_dict["model_run"])
        with local_copy(model_run.uri) as folder:
            findings(folder).keep(model_run)


def findings(model_run: Path) -> Findings:
    """What is told of a training: texts that were too long, and steps that were no numbers."""
    told = json.loads((model_run / FILE).read_text(encoding="utf-8"))
    diverged = [f"the training diverged: {one['what']} ({one['action']})" for one in told["divergences"]]
    return Findings(page=FILE, warnings=[*told["too_long"], *diverged])


class Trainer(tfx.components.Trainer):
    """Trains by `models.training.run_fn`; outputs `model` and `model_run`, with its findings."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
