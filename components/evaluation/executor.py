"""TFX's Evaluator, which also keeps with its artifact what it found."""

from typing import Any

from tfx.components.evaluator import executor as tfx_executor
from tfx.types import artifact_utils

from components.evaluation.results import findings


class Executor(tfx_executor.Executor):
    """TFX's executor. It leaves its results in files, which only TFMA reads: too slow for a history of runs."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, then keeps metrics and shortfalls."""
        super().Do(input_dict, output_dict, exec_properties)
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        findings(evaluation.uri).keep(evaluation)
