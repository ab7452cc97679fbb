"""TFX's Evaluator, set up for string models, our metrics and slices."""

from tfx import v1 as tfx
from tfx.dsl.components.base import executor_spec
from tfx.types import BaseChannel

from components.evaluation.config import eval_config
from components.evaluation.executor import AGAINST_BASELINE, Executor
from components.evaluation.settings import EvaluationSettings


class ModelEvaluator(tfx.components.Evaluator):
    """Judges the exported model by raw examples; outputs `evaluation`, with its findings, and `blessing`."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        baseline_model: BaseChannel,
        schema: BaseChannel,
        task: str,
        settings: EvaluationSettings,
    ) -> None:
        """Wires the component.

        Args:
            examples: raw examples.
            model: the model to judge.
            baseline_model: the last blessed model; the channel may turn out empty, then nothing is compared with it.
            schema: schema of the raw examples.
            task: name of the task.
            settings: the `evaluation` section.
        """
        super().__init__(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            schema=schema,
            eval_config=eval_config(task, settings),
            example_splits=[settings.split],
            module_path=f"{__package__}.extractors",
        )
        if settings.against_baseline:
            # TFX's own stage has no place for it.
            self.spec.exec_properties |= {"task": task, AGAINST_BASELINE: settings.against_baseline.model_dump_json()}
