"""TFX's Evaluator, which also keeps with its artifact what it found."""

from typing import Any

from tfx.components.evaluator import executor as tfx_executor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.blessing import give
from components.errors import EvaluationError
from components.evaluation.predictions import kept_in, load_predictions
from components.evaluation.results import findings
from components.evaluation.settings import AgainstBaseline
from components.evaluation.significance import shortfalls
from components.paths import local_copy
from components.weights import broken_weights

AGAINST_BASELINE = "against_baseline"


class Executor(tfx_executor.Executor):
    """TFX's executor. It leaves its results in files, which only TFMA reads: too slow for a history of runs."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model and keeps its predictions, then metrics, shortfalls and warnings.

        Raises:
            EvaluationError: the model has weights that are no numbers; it is not worth the time, and may not become the
                model that later ones are compared with.
        """
        model = artifact_utils.get_single_instance(input_dict["model"])
        with local_copy(path_utils.serving_model_path(model.uri)) as exported:
            if broken := broken_weights(exported):
                raise EvaluationError(
                    f"A model is judged only where all its weights are finite numbers. Received: {', '.join(broken)}. "
                    "Train it again, with a lower training.learning_rate or training.clip_norm."
                )
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        with kept_in(evaluation.uri):
            super().Do(input_dict, output_dict, exec_properties)
        found = findings(evaluation.uri)
        if rule := exec_properties.get(AGAINST_BASELINE):
            found.shortfalls.extend(
                shortfalls(
                    load_predictions(evaluation.uri),
                    exec_properties["task"],
                    AgainstBaseline.model_validate_json(rule),
                )
            )
        found.keep(evaluation)
        if found.shortfalls:
            give(artifact_utils.get_single_instance(output_dict["blessing"]), model, blessed=False)
