"""TFX's Evaluator, set up for string models, our metrics and slices."""

from pathlib import Path

from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec
from tfx.types import BaseChannel

from components.evaluation.config import eval_config
from components.evaluation.executor import Executor
from components.evaluation.settings import EvaluationSettings
from components.files_hash import hash_files

ID = "ModelEvaluator"


class ModelEvaluator(tfx.components.Evaluator):
    """TFX's Evaluator with our executor."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)


def model_evaluator(
    examples: BaseChannel,
    model: BaseChannel,
    baseline_model: BaseChannel,
    schema: BaseChannel,
    task: str,
    settings: EvaluationSettings,
) -> ModelEvaluator:
    """Judges the exported model by raw examples.

    Args:
        examples: raw examples.
        model: the model to judge.
        baseline_model: the last blessed model; the channel may turn out empty, then `max_regression` is not looked at.
        schema: schema of the raw examples.
        task: name of the task.
        settings: the `evaluation` section.

    Returns:
        The component, with outputs `evaluation` and `blessing`.
    """
    evaluator = ModelEvaluator(
        examples=examples,
        model=model,
        baseline_model=baseline_model,
        schema=schema,
        eval_config=eval_config(task, settings),
        example_splits=[settings.split],
        module_path=f"{__package__}.extractors",
    )
    # TFX's cache sees settings and inputs only; without this an edited metric would report its old values.
    evaluator.spec.exec_properties["code_hash"] = code_hash()
    return evaluator.with_id(ID)


def code_hash() -> str:
    """Digest of the code that computes the metrics and the slices; everything else shows in the configuration."""
    folder = Path(__file__).parent
    paths = [folder / "extractors.py", *sorted((folder / "metrics").glob("*.py"))]
    return hash_files((str(path.relative_to(folder)), path) for path in paths)[:16]
