"""TFX's Evaluator, set up for string models, our metrics and slices."""

from tfx import v1 as tfx
from tfx.types import BaseChannel

from components.evaluation.config import eval_config
from components.evaluation.settings import EvaluationSettings


def ModelEvaluator(  # noqa: N802
    examples: BaseChannel,
    model: BaseChannel,
    baseline_model: BaseChannel,
    schema: BaseChannel,
    task: str,
    settings: EvaluationSettings,
) -> tfx.components.Evaluator:
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
    return tfx.components.Evaluator(
        examples=examples,
        model=model,
        baseline_model=baseline_model,
        schema=schema,
        eval_config=eval_config(task, settings),
        example_splits=[settings.split],
        module_path=f"{__package__}.extractors",
    ).with_id("ModelEvaluator")
